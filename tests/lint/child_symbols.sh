#!/bin/sh
# child_symbols.sh NM ALLOW LIBCHILD LIBSYSCALL LIBPLAN
# What may the child need from outside, between clone and exec? Only what is on the list, and the list has
# only async-signal-safe functions on it. Of the plan the child uses plan_read.c alone.
nm=$1 allow=$2 child=$3 sys=$4 plan=$5
export LC_ALL=C

plan_read() { awk '/^plan_read/ { on = 1 } /^$/ { on = 0 } on'; }
defined=$(
  "$nm" --defined-only "$child" "$sys" | awk 'NF == 3 { print $3 }'
  "$nm" --defined-only "$plan" | plan_read | awk 'NF == 3 { print $3 }'
)
needed=$({
  "$nm" --undefined-only "$child" "$sys"
  "$nm" --undefined-only "$plan" | plan_read
} | awk '$1 == "U" { print $2 }' | sort -u)
# the lists are not empty by mistake
[ -n "$defined" ] && printf '%s\n' "$needed" | grep -qx syscall || {
  echo "no symbols found: are the libraries where they are said to be?" >&2
  exit 1
}

# what the compiler itself adds for sanitizers, coverage and the stack protector
bad=$(printf '%s\n' "$needed" | grep -vxF -f "$allow" | grep -vxF -e "$defined" |
  grep -v '^__\(asan\|ubsan\|sanitizer\|gcov\|stack_chk\)')
[ -z "$bad" ] && exit 0
echo "the child needs functions that are not async-signal-safe:" >&2
printf '  %s\n' $bad >&2
exit 1
