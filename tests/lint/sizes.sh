#!/bin/sh
# sizes.sh TREE - no source file above 600 lines, no header above 250.
cd "$1" || exit 1
long=$(find src launcher cgroups hpc -name '*.[ch]' -print | while read -r file; do
  lines=$(wc -l <"$file")
  case $file in *.h) max=250 ;; *) max=600 ;; esac
  [ "$lines" -le "$max" ] || echo "$file: $lines lines, at most $max"
done)
[ -z "$long" ] && exit 0
printf '%s\n' "$long" >&2
exit 1
