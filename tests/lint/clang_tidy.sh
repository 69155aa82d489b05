#!/bin/bash
# clang_tidy.sh TREE BUILD - clang-tidy with the tree's .clang-tidy over every source of the product.
tree=$1 build=$2
command -v clang-tidy >/dev/null || { echo "clang-tidy is missing"; exit 77; }
mapfile -t files < <(jq -r '.[].file' "$build/compile_commands.json" | grep -E "^$tree/(src|launcher|cgroups|hpc)/" | sort -u)
((${#files[@]})) || { echo "no sources in $build/compile_commands.json" >&2; exit 1; }
# the flags are gcc's: those that clang does not know are not its business
printf '%s\0' "${files[@]}" | xargs -0 -n 4 -P "$(nproc)" timeout 300 \
  clang-tidy --quiet -p "$build" --extra-arg=-Wno-unknown-warning-option 2>/dev/null
