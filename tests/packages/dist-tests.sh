#!/bin/sh
# usage: dist-tests.sh DIST
# The unpacked release builds and passes tests of its own.
. "$(dirname "$0")/common.sh"

tar -xzf "$1"/bitfit-*.tar.gz -C "$work"
cd "$work"/bitfit-*
(cd "$1" && quietly sha256sum -c SHA256SUMS)

quietly cmake -S . -B build -DBITFIT_BUILD_MALLOC=OFF -DBITFIT_BUILD_TOOLS=OFF \
    -DBITFIT_REQUIRE_ALL=ON -DCMAKE_C_FLAGS_RELEASE=-O1
quietly cmake --build build -j 2
ctest --test-dir build -j 2 --output-on-failure --no-tests=error \
    -R '^(bits|pictures|contract|check|misuse|threads|global_allocator)'
