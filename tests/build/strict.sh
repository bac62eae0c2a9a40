#!/bin/sh
# usage: strict.sh COMPILER FLAG...
# Compiles every source of the core, in every option, without a warning.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)

for source in "$root"/src/*.c; do
    for option in -O0 -O2 '-O3 -std=gnu17' '-Os -DNDEBUG' -DBITFIT_NO_SIMD \
        -DBITFIT_NO_INDEX -DBITFIT_NO_GUARD -DBITFIT_WORD_BITS=32; do
        echo "$(basename "$source") $option"
        # shellcheck disable=SC2086 # lists
        "$@" -std=c11 $option $WARNINGS -Werror -I"$root/include" \
            -c "$source" -o /dev/null
    done
done
