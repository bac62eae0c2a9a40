/*
 * What glibc alone has of malloc: elsewhere this file is empty.
 */
#include "entry.h"
#include "inspect.h"

#ifdef __GLIBC__

#include <limits.h>
#include <malloc.h>

EXPORT struct mallinfo2 mallinfo2(void)
{
    inspection now;
    struct mallinfo2 info = {0};
    if (inspect_heap(&now)) {
        size_t live = now.pool.live - now.cached;
        info.arena = now.pool.capacity;
        info.ordblks = 1;
        info.smblks = now.cached_blocks;
        info.fsmblks = now.cached;
        info.usmblks = now.pool.peak_live;
        info.uordblks = live;
        info.fordblks = now.pool.capacity - live;
        info.keepcost = now.pool.capacity - now.pool.high_water;
    }
    return info;
}

static int to_int(size_t number)
{
    return number < INT_MAX ? (int)number : INT_MAX;
}

/* glibc's old form, whose numbers end at INT_MAX. */
EXPORT struct mallinfo mallinfo(void)
{
    struct mallinfo2 info = mallinfo2();
    return (struct mallinfo){
        .arena = to_int(info.arena),
        .ordblks = to_int(info.ordblks),
        .smblks = to_int(info.smblks),
        .usmblks = to_int(info.usmblks),
        .fsmblks = to_int(info.fsmblks),
        .uordblks = to_int(info.uordblks),
        .fordblks = to_int(info.fordblks),
        .keepcost = to_int(info.keepcost),
    };
}

#endif
