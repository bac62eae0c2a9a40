#!/bin/sh
# usage: documents.sh FOLDER
# Every link in the installed documents leads to something that is installed.
. "$(dirname "$0")/common.sh"

sh "$root/tests/packages/links.sh" "$1/prefix/share/doc/bitfit"
