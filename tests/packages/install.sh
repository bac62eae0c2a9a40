#!/bin/sh
# usage: install.sh FOLDER
# Builds and installs bitfit into FOLDER/prefix, for the tests that use it as
# installed software. FOLDER/build is what uninstall.sh needs.
. "$(dirname "$0")/common.sh"
folder=$1

# An install of the tree that is being tested would replace its list of files.
# No sanitizers, no warnings as errors: as a stranger builds it.
rm -rf "$folder/prefix"
quietly cmake -S "$root" -B "$folder/build" -DBITFIT_BUILD_TESTS=OFF \
    -DBITFIT_BUILD_EXAMPLES=OFF -DCMAKE_INSTALL_PREFIX="$folder/prefix"
quietly cmake --build "$folder/build" -j 2

# Staged, as packagers do it, and in place: the same files either way.
echo 'DESTDIR'
DESTDIR=$work/stage quietly cmake --install "$folder/build"
list=$(cd "$work/stage$folder/prefix" && find . ! -type d | sort)
DESTDIR=$work/stage quietly cmake --build "$folder/build" --target uninstall
left=$(find "$work/stage" ! -type d)
[ -z "$left" ] || {
    echo "left behind: $left"
    exit 1
}
[ ! -e "$folder/prefix" ] || {
    echo 'a staged install wrote outside its DESTDIR'
    exit 1
}

echo 'install'
quietly cmake --install "$folder/build"
[ "$list" = "$(cd "$folder/prefix" && find . ! -type d | sort)" ]
echo "$list"
