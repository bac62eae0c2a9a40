/*
 * A program with pools of its own, for gdb to look at: one in a global
 * variable, one in a local, and the caller's malloc. It stops in stop_here().
 */
#include "bitfit.h"

#include <stdlib.h>

static _Alignas(64) unsigned char memory[4096];
static _Alignas(64) unsigned char other_memory[1 << 20];

bitfit_pool *messages;
char *second;

__attribute__((noinline)) static void stop_here(void)
{
    __asm__ volatile("" ::: "memory");
}

__attribute__((noinline)) static size_t work(bitfit_pool *frames)
{
    bitfit_alloc(frames, 5000);
    stop_here();
    return bitfit_destroy(frames);
}

int main(void)
{
    const bitfit_options options = {.guard = true};
    messages = bitfit_init(memory, sizeof memory, NULL);
    char *first = bitfit_alloc(messages, 100);
    second = bitfit_alloc(messages, 40);
    bitfit_alloc(messages, 200);
    bitfit_free(messages, first);
    free(malloc(10));
    return work(bitfit_init(other_memory, sizeof other_memory, &options)) != 1;
}
