#!/bin/bash
# conformance.sh TREE - every test that the table of docs/conformance.md names is there, and every row names one.
# "FILE: `SENTENCE`, `SENTENCE`; unit: `FUNCTION`": FILE of tests/integration, vm or engines; a sentence may begin or end
# with "..." for what is left out. A `$variable` in a test's title stands for any text.
cd "$1" || exit 1

# As patterns.
titles() { # FILE
  cat tests/{integration,vm,engines}/"$1".sh 2>/dev/null |
    sed -nE 's/^.*(test_case|row) +"([^"]+)".*/\2/p; s/^ *states +"([^"]+)".*/state and list: \1/p' |
    sed -E 's/[][*?\]/\\&/g; s/\$\{?[a-z_]+\}?/*/g'
}

is_there() { # FILE SENTENCE
  local title
  if [[ $1 = unit ]]; then
    [[ -e tests/unit/$2.c ]] || grep -q "^static void $2(void \*\*state)" tests/unit/*.c
    return
  fi
  while read -r title; do
    # shellcheck disable=SC2053
    [[ $2 != $title ]] || return 0
    case $2 in
    *...) [[ $title != "${2%...}"* ]] || return 0 ;;
    ...*) [[ $title != *"${2#...}" ]] || return 0 ;;
    esac
  done <<<"${known[$1]}"
  return 1
}

declare -A known
bad=0 rows=0
complain() { echo "docs/conformance.md: $1" >&2 && bad=1; }
while IFS= read -r line; do
  IFS='|' read -r _ property rest _ <<<"$line"
  [[ $property != *-- && $property != " property " && $property != *\*\** ]] || continue
  rows=$((rows + 1)) file='' named=0
  while [[ $rest =~ ^([^\`]*)\`([^\`]*)\`(.*)$ ]]; do
    rest=${BASH_REMATCH[3]} sentence=${BASH_REMATCH[2]} named=1
    before=${BASH_REMATCH[1]}
    [[ ! $before =~ ([a-z_]+):[[:space:]]*$ ]] || file=${BASH_REMATCH[1]}
    [[ $file ]] || { complain "which file has \`$sentence\`?"; continue; }
    [[ ${known[$file]+x} ]] || known[$file]=$(titles "$file")
    is_there "$file" "$sentence" || complain "no such test: $file: $sentence"
  done
  ((named)) || complain "nothing shows$property"
done < <(awk '/^## / { n++ } n == 1 && /^\|/' docs/conformance.md)
((rows > 150)) || complain "$rows rows in the table of the first section"
exit $bad
