#!/bin/bash
# cppcheck.sh TREE BUILD - cppcheck over every source of the product.
tree=$1 build=$2
command -v cppcheck >/dev/null || { echo "cppcheck is missing"; exit 77; }
mkdir -p "$build/cppcheck"
# What is off, and why: resourceLeak, memleak: the cleanup attribute releases what cppcheck believes to be
# lost; missing includes and their #error: it is not given the headers of the system.
timeout 500 cppcheck --project="$build/compile_commands.json" --cppcheck-build-dir="$build/cppcheck" \
  --file-filter="$tree/src/*" --file-filter="$tree/launcher/*" --file-filter="$tree/cgroups/*" --file-filter="$tree/hpc/*" \
  --enable=warning,performance,portability --inline-suppr --suppress=resourceLeak --suppress=memleak \
  --suppress=missingInclude --suppress=missingIncludeSystem --suppress=unknownMacro --suppress=preprocessorErrorDirective \
  --std=c11 --quiet --error-exitcode=1 -j "$(nproc)" --template='{file}:{line}: {severity}: {message} [{id}]'
