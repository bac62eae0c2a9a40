#!/bin/sh
# usage: debian.sh DIST COMPILER
# Builds the Debian packages of the release, has lintian look at them, and uses
# what they contain.
. "$(dirname "$0")/common.sh"
compiler=$2

# What the command is built with, its packages are built with.
grep -v '^#' "$root/tools/packages.txt" | grep -e '-dev$' | sort >"$work/wanted"
sed -n '/^Build-Depends/,/^[A-Z].*:/s/.* \([a-z0-9.+-]*-dev\)\(,\|$\)/\1/p' \
    "$root/packaging/debian/control" | sort >"$work/named"
missing=$(comm -23 "$work/wanted" "$work/named")
[ -z "$missing" ] || {
    echo "Build-Depends of packaging/debian/control lacks: $missing"
    exit 1
}

tar -xzf "$1"/bitfit-*.tar.gz -C "$work"
cd "$work"/bitfit-*
cp -R packaging/debian debian
echo 'dpkg-buildpackage'
DEB_BUILD_OPTIONS='nocheck noautodbgsym parallel=2' \
    quietly dpkg-buildpackage -us -uc -b
cd ..

# The packages are not on their way into Debian, where they would close a bug.
echo 'lintian'
lintian --allow-root --fail-on error,warning \
    --suppress-tags initial-upload-closes-no-bugs ./*.changes

echo 'use'
version=$(sed -n 's/^#define BITFIT_VERSION "\(.*\)"$/\1/p' \
    "$root/include/bitfit.h")
for package in libbitfit0 libbitfit-dev libbitfit-malloc0 bitfit; do
    dpkg-deb --extract "${package}_$version"-*.deb system
done
libraries=$(dirname system/usr/lib/*/libbitfit.so.0)
"$compiler" -Isystem/usr/include "$root/tests/packages/consumer/main.c" \
    -L"$libraries" -lbitfit -o program
LD_LIBRARY_PATH=$libraries ./program
LD_PRELOAD=$work/$libraries/libbitfit-malloc.so \
    grep -q libbitfit-malloc /proc/self/maps
[ "$(system/usr/bin/bitfit --version)" = "bitfit $version" ]

echo 'documents'
sh "$root/tests/packages/links.sh" system/usr/share/doc/libbitfit-dev

echo 'manuals'
for page in man1/bitfit.1 man3/bitfit_calloc.3 man7/bitfit.7; do
    zcat "system/usr/share/man/$page.gz" | mandoc | grep -q bitfit
done
