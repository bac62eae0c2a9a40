#!/bin/sh
# usage: standards.sh LIBRARY STANDARDS COMPILER FLAG...
# Every test of bitfit.hpp in each of the standards, such as "c++17 c++20", with
# and without exceptions, and never a warning.
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
here=$root/tests/bindings/cxx
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
library=$1
standards=$2
shift 2
compiler=$*

# shellcheck disable=SC2086 # a compiler and its flags
compile() {
    $compiler "$@" -Wall -Wextra -Wpedantic -Wshadow -Wconversion \
        -Wsign-conversion -Wold-style-cast -Wcast-qual -Wnon-virtual-dtor \
        -Wundef -Werror \
        -I"$root/include" -I"$root/bindings/cxx" "$library" -pthread
}

for standard in $standards; do
    compile -std=$standard -o "$work/tests" "$here/main.cpp" \
        "$here/pools.cpp" "$here/containers.cpp" "$here/resources.cpp" \
        "$here/objects.cpp" "$here/offsets.cpp" "$here/shared.cpp" \
        "$here/threads.cpp"
    "$work/tests" --minimal
    compile -std=$standard -o "$work/no_exceptions" \
        -fno-exceptions -fno-rtti "$here/no_exceptions.cpp"
    "$work/no_exceptions"
    echo "$standard: ok"
done
