#!/bin/sh
# usage: elsewhere.sh -n|quick|long COMPILER [EMULATOR]
# stops.c for another machine, whose gcc is COMPILER. The order of its stores, its
# words and its struct's layout are its own; the lock is the test's. With -n it is
# built and not run.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/tests/shared
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
how=$1 compiler=$2 emulator=${3-}
flags="-std=gnu11 -O2 -w -I$root/include -I$root/src"

for file in bitfit create misuse recover shared; do
    # shellcheck disable=SC2086 # a list
    $compiler $flags -fsanitize=thread -fno-builtin -Dmemset=stopping_memset \
        -Dmemcpy=stopping_memcpy -c "$root/src/$file.c" -o "$work/$file.o"
done
# shellcheck disable=SC2086 # a list
$compiler $flags -static "$here/stops.c" "$here/stop.c" "$here/play.c" \
    "$work"/*.o -o "$work/stops"
[ "$how" = -n ] || $emulator "$work/stops" "$how"
