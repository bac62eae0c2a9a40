#!/bin/sh
# usage: old.sh COMPILER...
# In a standard older than C++17 bitfit.hpp is one error that says so, and
# bitfit.h serves as ever.
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for compiler in "$@"; do
    for standard in c++98 c++11 c++14; do
        compile() {
            echo "#include <$1>" |
                "$compiler" -std=$standard -Wall -Wextra -Werror \
                    -I"$root/include" -I"$root/bindings/cxx" \
                    -fsyntax-only -x c++ - 2>"$work/log"
        }
        compile bitfit.h
        if compile bitfit.hpp; then
            echo "$compiler: bitfit.hpp passes as $standard"
            exit 1
        fi
        grep 'error' "$work/log"
        [ "$(grep -c 'error:' "$work/log")" = 1 ]
        grep -q 'error.*bitfit.hpp needs C++17' "$work/log"
    done
done
