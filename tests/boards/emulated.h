/* What QEMU says of a process that ends by a signal. */
#ifndef BOARDS_EMULATED_H
#define BOARDS_EMULATED_H

#define BOARD_LAST_WORDS                                                       \
    "qemu: uncaught target signal 6 (Aborted) - core dumped\n"

#endif
