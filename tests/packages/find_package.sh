#!/bin/sh
# usage: find_package.sh FOLDER
# The installed CMake package serves a project, by find_package().
. "$(dirname "$0")/common.sh"

consumer -DCMAKE_PREFIX_PATH="$1/prefix"
