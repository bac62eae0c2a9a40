/*
 * The JSON that the Vulkan Memory Allocator's vmaBuildStatsString() makes, and
 * those of the same shape. Nothing in the file is trusted.
 */
#ifndef VMA_DUMP_H
#define VMA_DUMP_H

#include "moment.h"

/* Whether the file looks like one. */
bool vma_dump_is_one(const char *path);

/* All of its device memory, one after the other in the file's order. NULL, or
 * why it cannot be read: one line. */
const char *vma_dump_look(const char *path, heap_moment *moment);

#endif
