#!/bin/bash
# words.sh TREE CC - functions that nobody may call, and ways of writing that hide a bug.
# Comments and strings are free to mention them.
set -u
cd "$1" || exit 1
cc=$2

# word => what to use instead
rules=(
  '\b(atoi|atol|atoll|strtol|strtoul|strtoll|strtoull|strtod)[[:space:]]*\(=>numbers are read by base/str.h, which notices what is wrong'
  '\b(sprintf|vsprintf|strcpy|strcat|strncpy|strncat|stpcpy|gets)[[:space:]]*\(=>nobody checks the size: snprintf, memcpy, base/str.h'
  '\b(system|popen|execlp|execvp|execvpe|posix_spawnp)[[:space:]]*\(=>no shell, no search in PATH'
  '\b(strtok|localtime|gmtime|ctime|asctime|getpwuid|getpwnam|getgrgid|getgrnam|ttyname|ptsname)[[:space:]]*\(=>a static buffer: there is an _r form'
  '\b(alloca|mktemp|tmpnam|tempnam|vfork|signal|usleep)[[:space:]]*\(=>never'
  '\bauto_fd int [a-z_0-9]+(;|,| = 0;)=>an owned descriptor starts as -1, or with what opens it'
  '\bauto_free [a-z_ ]+\*+[a-z_0-9]+;=>an owned pointer starts as NULL, or with what allocates it'
)
code=$(mktemp -d)
trap 'rm -rf "$code"' EXIT
find src launcher cgroups hpc -name '*.[ch]' | while read -r file; do
  mkdir -p "$code/${file%/*}"
  # only comments go; the lines stay where they are
  "$cc" -fpreprocessed -dD -E "$file" 2>/dev/null | grep -v '^# ' | sed -E 's/"([^"\\]|\\.)*"/""/g' >"$code/$file"
done
[[ -n $(find "$code" -name '*.c' -size +0) ]] || { echo "no sources below $1" >&2; exit 1; }

bad=0
for rule in "${rules[@]}"; do
  found=$(cd "$code" && grep -rE -- "${rule%%=>*}" . | sed -E 's|^\./||; s/:[[:space:]]+/: /')
  [[ -n $found ]] || continue
  printf '%s\n' "$found" "  => ${rule#*=>}" >&2
  bad=1
done
exit $bad
