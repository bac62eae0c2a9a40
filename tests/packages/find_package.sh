#!/bin/sh
# usage: find_package.sh FOLDER
# The installed CMake package serves a project, by find_package().
. "$(dirname "$0")/common.sh"

consumer CXX -DCMAKE_PREFIX_PATH="$1/prefix"
consumer 'C;CXX' -DCMAKE_PREFIX_PATH="$1/prefix"
