#!/bin/sh
# usage: pkg-config.sh FOLDER COMPILER
# The installed .pc files serve a compiler's command line: the shared library,
# the static one, a program that is wholly static, and the malloc. They do so
# where the install went, not where it was configured to go.
. "$(dirname "$0")/common.sh"
compiler=$2
main=$root/tests/packages/consumer/main.c

# libraries PROGRAM: those that it needs.
libraries() {
    readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
}

# use PREFIX: the programs, built by what is installed there.
use() {
    prefix=$1
    pc=$(dirname "$(find "$prefix" -name bitfit.pc)")
    export PKG_CONFIG_PATH="$pc" LD_LIBRARY_PATH="${pc%/pkgconfig}"
    for package in bitfit bitfit-static bitfit-malloc; do
        pkg-config --validate $package
        [ "$(pkg-config --modversion $package)" = "$version" ]
    done

    # shellcheck disable=SC2046 # lists
    "$compiler" "$main" $(pkg-config --cflags --libs bitfit) -o "$work/shared"
    "$work/shared"
    libraries "$work/shared" | grep -Fx libbitfit.so.0

    # shellcheck disable=SC2046 # lists
    "$compiler" "$main" $(pkg-config --cflags --libs bitfit-static) \
        -o "$work/partly"
    "$work/partly"
    if libraries "$work/partly" | grep bitfit; then exit 1; fi

    # shellcheck disable=SC2046 # lists
    "$compiler" "$main" $(pkg-config --cflags bitfit) -static \
        $(pkg-config --static --libs bitfit) -o "$work/static"
    "$work/static"
    pkg-config --static --libs bitfit | grep -e ' -pthread'
    pkg-config --libs bitfit-static | grep -e ' -pthread'

    # The malloc is kept, and nothing else that nobody names.
    # shellcheck disable=SC2046 # lists
    "$compiler" -x c++ "$root/tests/packages/consumer/needed.cpp" -x none \
        -Wl,--as-needed $(pkg-config --libs bitfit-malloc) -lm -o "$work/malloc"
    "$work/malloc"
    if libraries "$work/malloc" | grep libm.so; then exit 1; fi
}

version=$(sed -n 's/^#define BITFIT_VERSION "\(.*\)"$/\1/p' \
    "$root/include/bitfit.h")
use "$1/prefix"

echo 'with --prefix'
cp "$1/build/install_manifest.txt" "$work"
quietly cmake --install "$1/build" --prefix "$work/there"
cp "$work/install_manifest.txt" "$1/build"
use "$work/there"
pkg-config --cflags --libs bitfit | grep -F "$work/there"

echo 'moved'
mv "$work/there" "$work/moved"
use "$work/moved"
