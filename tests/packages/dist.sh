#!/bin/sh
# usage: dist.sh DIST
# Packs the release into the folder DIST. Packing it again, with other habits
# and from the release itself, gives the same bytes.
. "$(dirname "$0")/common.sh"

rm -rf "$1"
"$root/scripts/dist" "$1"
tarball=$(echo "$1"/bitfit-*.tar.gz)

echo 'again'
(
    umask 077
    LC_ALL=C.UTF-8 TZ=Asia/Tokyo "$root/scripts/dist" "$work/again" >/dev/null
)
diff -r "$1" "$work/again"

echo 'from the release'
tar -xzf "$tarball" -C "$work"
mkdir "$work/$(basename "$tarball" .tar.gz)/build"
"$work/$(basename "$tarball" .tar.gz)/scripts/dist" "$work/from" >/dev/null
diff -r "$1" "$work/from"

echo 'nothing but sources'
tar -tzf "$tarball" >"$work/files"
[ "$(sed 's|/.*||' "$work/files" | sort -u)" = \
    "$(basename "$tarball" .tar.gz)" ]
dead=$(find "$work/$(basename "$tarball" .tar.gz)" -xtype l)
[ -z "$dead" ] || {
    echo "dead links: $dead"
    exit 1
}
if grep -E '^[^/]*/(build|\.git)/|\.(o|so|a)$' "$work/files"; then
    exit 1
fi
