#!/bin/sh
# usage: fetch_content.sh DIST
# A project fetches the release by its address and checksum.
. "$(dirname "$0")/common.sh"
tarball=$(echo "$1"/bitfit-*.tar.gz)

consumer CXX -DBITFIT_URL="file://$tarball" \
    -DBITFIT_SHA256="$(sha256sum "$tarball" | cut -d ' ' -f 1)"
