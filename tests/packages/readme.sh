#!/bin/sh
# usage: readme.sh DIST
# A project that fetches bitfit by the lines of the README, as they stand there:
# git finds the release at that address and tag.
. "$(dirname "$0")/common.sh"

mkdir "$work/project" "$work/release"
{
    echo 'cmake_minimum_required(VERSION 3.20)'
    echo 'project(program LANGUAGES C)'
    echo "add_executable(program $root/tests/packages/consumer/main.c)"
    sed -n '/^ *```cmake$/,/^ *```$/p' "$root/README.md" | grep -v '```'
} >"$work/project/CMakeLists.txt"
address=$(sed -n 's/.*GIT_REPOSITORY *\([^ )]*\).*/\1/p' "$root/README.md")
version=$(sed -n 's/^#define BITFIT_VERSION "\(.*\)"$/\1/p' \
    "$root/include/bitfit.h")

tar -xzf "$1"/bitfit-*.tar.gz -C "$work/release" --strip-components=1
git=$(command -v git)
release() {
    "$git" -C "$work/release" -c user.name=x -c user.email=x@x.invalid \
        -c init.defaultBranch=main "$@"
}
quietly release init
quietly release add --all
quietly release commit -m release
quietly release tag "v$version"

export GIT_CONFIG_COUNT=1 GIT_CONFIG_VALUE_0="$address"
export GIT_CONFIG_KEY_0="url.file://$work/release.insteadOf"
quietly cmake -S "$work/project" -B "$work/build"
quietly cmake --build "$work/build" -j 2
"$work/build/program"
