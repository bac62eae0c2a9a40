#!/bin/sh
# usage: dist-tests.sh DIST
# The unpacked release builds and passes tests of its own.
. "$(dirname "$0")/common.sh"

tar -xzf "$1"/bitfit-*.tar.gz -C "$work"
cd "$work"/bitfit-*
(cd "$1" && quietly sha256sum -c SHA256SUMS)

tests='bits pictures contract/create contract/use check misuse threads'
quietly cmake -S . -B build -DBITFIT_BUILD_MALLOC=OFF -DBITFIT_BUILD_TOOLS=OFF \
    -DBITFIT_BUILD_EXAMPLES=OFF -DCMAKE_C_FLAGS_RELEASE=-O1
# shellcheck disable=SC2046,SC2086 # lists
quietly cmake --build build -j 2 --target $(printf 'test_%s ' $tests | tr / _)
for name in $tests; do
    quietly ctest --test-dir build --output-on-failure --no-tests=error \
        -R "^$name\$"
    echo "$name"
done
