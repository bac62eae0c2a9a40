#!/bin/sh
# usage: uninstall.sh FOLDER
# Undoes install.sh: nothing is left, and what was there before still is.
. "$(dirname "$0")/common.sh"
folder=$1

touch "$folder/prefix/include/of-another"
quietly cmake --build "$folder/build" --target uninstall
left=$(cd "$folder/prefix" && find . ! -type d)
[ "$left" = ./include/of-another ] || {
    echo "left behind, or too little: $left"
    exit 1
}
