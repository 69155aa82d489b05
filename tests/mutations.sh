#!/bin/bash
# mutations.sh [NAME-REGEX] - break each rule on purpose, in a copy of the tree; whatever guards it has to
# notice. A guard that never fails is no guard. Prints one line per mutation; status 1 if one was missed.
#
# The copy is built once; a mutation then costs what it changes.
set -u
top=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
only=${1:-.}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
noticed=0 missed=0

copy() { (cd "$top" && tar -c --exclude=./build --exclude=./.git .) | tar -x -C "$1"; }
mkdir "$work/clean" "$work/t"
copy "$work/clean"
copy "$work/t"
cd "$work/t" || exit 1
{ cmake --preset dev && cmake --build --preset dev; } >"$work/log" 2>&1 || {
  tail -40 "$work/log"
  echo "the tree does not build as it is"
  exit 1
}

# mutate NAME EXPECTED-WORDS TESTS SCRIPT: TESTS is a regular expression for ctest; "" if the build tells
mutate() {
  local name=$1 expect=$2 tests=$3 script=$4 out
  [[ $name =~ $only ]] || return 0
  out=$( (set -e && eval "$script") 2>&1) || {
    echo "BROKEN   $name: the mutation itself failed: $out"
    missed=$((missed + 1))
    restore
    return
  }
  if diff -rq --exclude=build "$work/clean" "$work/t" >/dev/null; then
    echo "BROKEN   $name: nothing was changed"
    missed=$((missed + 1))
    return
  fi
  out=$({
    cmake --preset dev && cmake --build --preset dev &&
      { [[ -z $tests ]] || ctest --test-dir build/dev --output-on-failure -R "$tests"; }
  } 2>&1)
  if grep -Eq -- "$expect" <<<"$out"; then
    echo "noticed  $name"
    noticed=$((noticed + 1))
  else
    echo "MISSED   $name"
    missed=$((missed + 1))
    tail -5 <<<"$out"
  fi
  restore
}

# Put back what differs, and only that: the next build is small.
restore() {
  local file
  (cd "$work/t" && find . -path ./build -prune -o -type f -print) | while read -r file; do
    [[ -e $work/clean/$file ]] || rm "$work/t/$file"
  done
  # a new time: what was built from the mutation is older than that
  (cd "$work/clean" && find . -type f -print) | while read -r file; do
    cmp -s "$work/clean/$file" "$work/t/$file" || cp "$work/clean/$file" "$work/t/$file"
  done
}

# --- floors ------------------------------------------------------------------------------------------------
mutate "an include goes up" "child/child.h: No such file" "" \
  "sed -i '0,/#include/s//#include \"child\/child.h\"\n#include/' src/plan/plan.c"
mutate "a floor uses a higher one" "plan is not below it" "" \
  "sed -i '/^floor(base/s/)\$/ USES plan)/' src/base/CMakeLists.txt"
mutate "a header needs another one first" "unknown type name|undeclared|incomplete type" "" \
  "printf '#pragma once\nvoid lonely(struct stat *x, size_t n);\nint lonelier(pid_t p);\n' >src/base/lonely.h"
mutate "a header without a guard" "redefinition" "" \
  "printf 'struct twice { int x; };\n' >src/base/twice.h"

# --- lints ---------------------------------------------------------------------------------------------------
mutate "malloc in the child" "not async-signal-safe" lint.child_symbols \
  "printf '#include <stdlib.h>\nvoid *child_grab(void);\nvoid *child_grab(void) { return malloc(3); }\n' >>src/child/child.c"
mutate "a library in the place of the child's" "no symbols found" lint.child_symbols \
  "sed -i 's/TARGET_FILE:child>/TARGET_FILE:base>/; s/TARGET_FILE:syscall>/TARGET_FILE:base>/' tests/lint/lint.cmake"
mutate "a file of 601 lines" "long.c: 601 lines, at most 600" lint.sizes \
  "yes '/* x */' | head -601 >src/base/long.c"
mutate "a header of 251 lines" "long.h: 251 lines, at most 250" lint.sizes \
  "{ echo '#pragma once'; yes '/* x */' | head -250; } >hpc/long.h"
mutate "strtol" "numbers are read by" lint.words \
  "printf '#include <stdlib.h>\nlong grab(const char *s);\nlong grab(const char *s) { return strtol(s, 0, 10); }\n' >>src/base/str.c"
mutate "sprintf" "nobody checks the size" lint.words "printf 'int grab(char *s);\nint grab(char *s) { return sprintf(s, \"x\"); }\n' >>src/base/str.c"
mutate "system" "no shell" lint.words "printf '#include <stdlib.h>\nint grab(void);\nint grab(void) { return system(\"true\"); }\n' >>src/base/str.c"
mutate "an owned descriptor that starts as 0" "starts as -1" lint.words \
  "printf '#include \"base/cleanup.h\"\nint grab(void);\nint grab(void)\n{\n        auto_fd int fd = 0;\n        return fd;\n}\n' >>src/base/io.c"
mutate "a script that does not parse" "syntax error" lint.shell "printf 'if true\n' >>tests/run.sh"
mutate "a script with an unused variable" "SC2034" lint.shell "sed -i '2i unused=5' tests/vm/run"
mutate "a function of 70 lines" "exceeds recommended size" lint.clang_tidy \
  "{ echo 'int grab(int x);'; echo 'int grab(int x)'; echo '{'; yes '        x += x;' | head -70; echo '        return x;'; echo '}'; } >>src/base/str.c"
mutate "an array out of bounds" "arrayIndexOutOfBounds|out of bounds" lint.cppcheck \
  "printf 'int grab(void);\nint grab(void)\n{\n        static int a[3];\n        int i = 5;\n        return a[i];\n}\n' >>src/base/str.c"

# --- tables and proofs -----------------------------------------------------------------------------------------
mutate "the last row of the steps is missing" "a step without description" "" "sed -i '/\[STEP_FAIL\]/d' src/plan/step.c"
mutate "a row in the middle is missing" "FAILED  \]" test_plan "sed -i '/\[STEP_CHDIR\]/d' src/plan/step.c"
mutate "the shared plan is not sealed" "FAILED  \]" 'test_plan|test_session' "sed -i 's/F_SEAL_WRITE/0/' src/plan/plan_share.c"
mutate "a test that the specification's table names has another name" "no such test: table: read-only root" lint.conformance \
  "sed -i 's/^row \"read-only root\"/row \"a root to read\"/' tests/integration/table.sh"
mutate "a row of the specification's table without a test" "nothing shows" lint.conformance "sed -i 's/^| .root.readonly. | .*/| root.readonly | |/' docs/conformance.md"
mutate "the test framework takes a failure for a success" "framework: " lint.framework "sed -i 's/^  77) echo/  1 | 77) echo/' tests/lib/check.sh"
mutate "the test framework does not see what is left" "framework: " lint.framework "sed -i 's/^left_cgroups() {/left_cgroups() { return; /; s/^left_processes() {/left_processes() { return; /' tests/lib/check.sh"

echo "$noticed noticed, $missed missed"
((missed == 0))
