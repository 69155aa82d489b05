#!/bin/bash
# shell.sh TREE - every script parses, and shellcheck (where there is one) has nothing to warn about.
cd "$1" || exit 1
mapfile -t scripts < <(grep -rlE '^#!/bin/(ba)?sh|^# shellcheck shell=' --include='*' tests examples .ci 2>/dev/null | grep -v '\.c$' | sort)
((${#scripts[@]})) || { echo "no scripts found" >&2; exit 1; }
bad=0
for script in "${scripts[@]}"; do
  if head -1 "$script" | grep -q '^#!/bin/sh'; then sh -n "$script"; else bash -n "$script"; fi || bad=1
done
command -v shellcheck >/dev/null || { echo "shellcheck is missing"; exit 77; }
# off: variables that check.sh gives to a case; cd without a check, in cases that end with the first failure;
# ls | grep, of files whose names are the kernel's; input for a program that never reads, which is the point
shellcheck -S warning -e SC2154,SC2164,SC2120,SC2010,SC2217 -x "${scripts[@]}" || bad=1
exit $bad
