#!/bin/sh
# usage: install.sh BUILD
# Installs the library into a folder of its own, uses it as its users will, and
# uninstalls it again.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix

quietly() {
    "$@" >"$work/log" 2>&1 || {
        cat "$work/log"
        return 1
    }
}

# An install of this tree itself would leave its list of files in it.
quietly cmake -S "$root" -B "$work/build" -DBITFIT_BUILD_TESTS=OFF \
    -DBITFIT_BUILD_EXAMPLES=OFF \
    -DCMAKE_INSTALL_PREFIX="$prefix"
quietly cmake --build "$work/build" -j 2
quietly cmake --install "$work/build"

echo 'find_package'
quietly cmake -S "$root/tests/checks/consumer" -B "$work/package" \
    -DCMAKE_PREFIX_PATH="$prefix"
quietly cmake --build "$work/package"
quietly ctest --test-dir "$work/package" --output-on-failure --no-tests=error

echo 'add_subdirectory'
quietly cmake -S "$root/tests/checks/consumer" -B "$work/inside" \
    -DBITFIT_SOURCE="$root"
quietly cmake --build "$work/inside"
quietly ctest --test-dir "$work/inside" --output-on-failure --no-tests=error

echo 'pkg-config'
pc=$(dirname "$(find "$prefix" -name bitfit.pc)")
flags=$(PKG_CONFIG_PATH=$pc pkg-config --cflags --libs bitfit)
# shellcheck disable=SC2086 # a list
cc "$root/tests/checks/consumer/main.c" $flags -o "$work/program"
LD_LIBRARY_PATH=$(dirname "$pc") "$work/program"
version=$(PKG_CONFIG_PATH=$pc pkg-config --modversion bitfit)
[ "$version" = "$("$work/inside/version")" ]

echo 'uninstall'
quietly cmake --build "$work/build" --target uninstall
left=$(find "$prefix" ! -type d)
[ -z "$left" ] || {
    echo "left behind: $left"
    exit 1
}
