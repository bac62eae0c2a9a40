#!/bin/sh
# usage: config-header.sh COMPILER
# BITFIT_CONFIG_HEADER names a header with the options of the build: the same
# objects come of it as of -D flags, from the sources, the amalgamation and
# cmake alike.
. "$(dirname "$0")/common.sh"
compiler=$1
cd "$work"
cat >board.h <<'END'
#define BITFIT_NO_INDEX
#define BITFIT_WORD_BITS 32
END
"$root/scripts/amalgamate" amalgamation

# objects FOLDER OPTIONS: compiles the library in both its forms.
objects() {
    mkdir "$1"
    for source in "$root"/src/*.c amalgamation/bitfit.c; do
        object=$(echo "${source#"$root"/}" | tr / -)
        # shellcheck disable=SC2086 # a list
        "$compiler" -std=c11 -O0 -I"$root/include" $2 -c "$source" \
            -o "$1/$object.o"
    done
}

objects plain ''
objects flags '-DBITFIT_NO_INDEX -DBITFIT_WORD_BITS=32'
objects header '-I. -DBITFIT_CONFIG_HEADER="board.h"'
diff -r flags header
if diff -rq plain header >/dev/null; then
    echo 'the options change nothing'
    exit 1
fi

echo 'cmake'
quietly cmake -S "$root" -B build -DBITFIT_BUILD_MALLOC=OFF \
    -DBITFIT_BUILD_TOOLS=OFF -DBITFIT_BUILD_TESTS=OFF \
    -DBITFIT_BUILD_EXAMPLES=OFF -DBITFIT_CONFIG_HEADER="$work/board.h"
quietly cmake --build build -j 2 --target bitfit_static
echo '#error "it was read"' >board.h
if cmake --build build --target bitfit_static >log 2>&1; then
    echo 'the header is not read'
    exit 1
fi
grep -q 'it was read' log
