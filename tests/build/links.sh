#!/bin/sh
# usage: links.sh COMPILER FLAG...
# Builds a program with all of the core's sources, without a warning, for a
# system that this machine cannot run.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# shellcheck disable=SC2086 # WARNINGS is a list
"$@" $WARNINGS -Werror -I"$root/include" \
    "$root/tests/build/everywhere.c" "$root"/src/*.c -o "$work/program"
[ -s "$work/program" ] || [ -s "$work/program.exe" ]
