#!/bin/sh
# usage: pkg-config.sh FOLDER COMPILER
# The installed .pc file serves a compiler's command line, shared and static.
. "$(dirname "$0")/common.sh"
prefix=$1/prefix
compiler=$2
pc=$(dirname "$(find "$prefix" -name bitfit.pc)")
export PKG_CONFIG_PATH="$pc"
main=$root/tests/packages/consumer/main.c

# shellcheck disable=SC2046 # lists
"$compiler" "$main" $(pkg-config --cflags --libs bitfit) -o "$work/shared"
LD_LIBRARY_PATH=$(dirname "$pc") "$work/shared"
readelf -d "$work/shared" | grep -F 'NEEDED' | grep -F '[libbitfit.so.0]'

# shellcheck disable=SC2046 # lists
"$compiler" "$main" $(pkg-config --cflags bitfit) -static \
    $(pkg-config --static --libs bitfit) -o "$work/static"
"$work/static"

version=$(sed -n 's/^#define BITFIT_VERSION "\(.*\)"$/\1/p' \
    "$prefix/include/bitfit.h")
[ "$(pkg-config --modversion bitfit)" = "$version" ]
