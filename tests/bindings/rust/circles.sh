#!/bin/sh
# usage: circles.sh
# No two modules of the crate import each other, on whatever way around.
set -eu
cd "$(dirname "$0")/../../../bindings/rust/src"
for file in *.rs; do
    [ $file = lib.rs ] || sed -n "s/^ *use crate::\([a-z_]*\).*/${file%.rs} \1/p" \
        $file
done | tsort
