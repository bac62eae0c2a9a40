#!/bin/sh
# usage: meson.sh SHARED
# meson builds the same library, alone and as a project's part. SHARED is the
# one that CMake built.
. "$(dirname "$0")/common.sh"

echo 'alone'
quietly meson setup "$work/alone" "$root" --prefix="$work/prefix" \
    --libdir=lib -Dwerror=true
quietly meson install -C "$work/alone"
built=$work/prefix/lib/libbitfit.so
exports() {
    nm -D --defined-only "$1" | cut -d ' ' -f 2- | sort
}
exports "$1" >"$work/expected"
exports "$built" | diff "$work/expected" -
soname() {
    readelf -d "$1" | grep -F SONAME
}
[ "$(soname "$1")" = "$(soname "$built")" ]

echo 'subproject'
mkdir -p "$work/project/subprojects"
ln -s "$root" "$work/project/subprojects/bitfit"
cp "$root/tests/packages/consumer/main.c" "$work/project"
cat >"$work/project/meson.build" <<'END'
project('consumer', 'c')
main = executable('main', 'main.c',
    dependencies: dependency('bitfit', fallback: 'bitfit'))
test('main', main)
END
quietly meson setup "$work/build" "$work/project"
quietly meson test -C "$work/build"
