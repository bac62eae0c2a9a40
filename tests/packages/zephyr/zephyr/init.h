#ifndef STAND_IN_INIT_H
#define STAND_IN_INIT_H

#include <stdlib.h>

/* Before main(), as the levels before APPLICATION are. */
#define SYS_INIT(function, level, priority)                                    \
    __attribute__((constructor)) static void level##_##function(void)          \
    {                                                                          \
        if ((function)() != 0) {                                               \
            abort();                                                           \
        }                                                                      \
    }                                                                          \
    _Static_assert((priority) >= 0, "a priority")

#endif
