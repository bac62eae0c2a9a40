#!/bin/sh
# usage: freertos.sh COMPILER ARM_COMPILER
# ports/freertos/heap_bitfit.c does what FreeRTOS' heap_4.c does.
. "$(dirname "$0")/common.sh"
here=$root/tests/packages/freertos
flags="-std=c11 -Wall -Wextra -Werror -DBITFIT_FREESTANDING=1"
heap=$root/ports/freertos/heap_bitfit.c

# shellcheck disable=SC2086 # a list
"$1" $flags -I"$here" -I"$root/include" "$here/main.c" "$heap" \
    "$root"/src/*.c -o "$work/program"
"$work/program"
# shellcheck disable=SC2086 # a list
"$2" $flags -mcpu=cortex-m4 -mthumb -I"$here" -I"$root/include" \
    -c "$heap" -o "$work/object.o"
