#!/bin/sh
# usage: cxx.sh LIBRARY COMPILER...
# The header in C++, old and new, without a warning; and a program that runs.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
library=$1
shift

for compiler in "$@"; do
    for standard in c++11 c++14 c++17 c++20; do
        "$compiler" -std=$standard -Wall -Wextra -Wpedantic -Wold-style-cast \
            -Werror -I"$root/include" "$root/tests/packages/consumer/main.cpp" \
            "$library" -pthread -o "$work/program"
        "$work/program"
        "$compiler" -std=$standard -Wall -Wextra -Wpedantic -Wconversion \
            -Wsign-conversion -Wold-style-cast -Werror -I"$root/include" \
            "$root/tests/build/sizes.cpp" "$library" -pthread -o "$work/program"
        "$work/program"
    done
done
