#include "pool_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

enum {
    HEAD = 4096,
    TRIES = 40,
    STILL = 9, /* looks that find the same, with pauses that double: 256 ms */
    PAUSE_NS = 500 * 1000
};

static const char no_pool[] =
    "this is no shared pool, or it is cut off, of another version of bitfit "
    "than this command, or from another machine";
static const char no_memory[] = "there is not enough memory for the copy";

/* ----------------------------------------------------------------- opening */

/* False if the file is shorter, or cannot be read. */
static bool read_front(int file, void *to, size_t size)
{
    unsigned char *at = to;
    off_t from = 0;
    errno = 0;
    while (size > 0) {
        ssize_t got = pread(file, at, size, from);
        if (got <= 0)
            return false;
        at += got;
        from += got;
        size -= (size_t)got;
    }
    return true;
}

static const char *measure(pool_file *from)
{
    alignas(max_align_t) unsigned char head[HEAD];
    struct stat is;
    if (fstat(from->file, &is) != 0)
        return strerror(errno);
    if (S_ISDIR(is.st_mode))
        return strerror(EISDIR);
    from->size = (size_t)is.st_size;
    size_t known = from->size < HEAD ? from->size : HEAD;
    if (!read_front(from->file, head, known) && errno != 0)
        return strerror(errno);
    from->front = bitfit_shared_front(head, known, from->size);
    return from->front == 0 ? no_pool : NULL;
}

const char *pool_file_open(pool_file *from, const char *path)
{
    *from = (pool_file){.mapping = MAP_FAILED,
                        .file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (from->file < 0)
        return strerror(errno);
    const char *why = measure(from);
    if (why != NULL)
        return why;
    from->copy = pool_file_map(-1, from->size, from->front, &from->mapping,
                               &from->mapped);
    return from->mapping == MAP_FAILED ? no_memory : NULL;
}

void pool_file_close(pool_file *from)
{
    if (from->mapping != MAP_FAILED)
        munmap(from->mapping, from->mapped);
    if (from->file >= 0)
        close(from->file);
}

bool pool_file_is_one(const char *path)
{
    pool_file from = {.file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK),
                      .mapping = MAP_FAILED};
    bool is = from.file >= 0 && measure(&from) == NULL;
    pool_file_close(&from);
    return is;
}

/* The payload lies at a multiple of its alignment from the pool, which is at
 * one itself: so the front has it as a factor. */
void *pool_file_map(int file, size_t size, size_t front, void **mapping,
                    size_t *mapped)
{
    size_t alignment = front & (0 - front);
    *mapping = MAP_FAILED;
    *mapped = size + alignment;
    if (*mapped >= size) {
        *mapping = mmap(NULL, *mapped, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
    if (*mapping == MAP_FAILED)
        return MAP_FAILED;
    uintptr_t start = ((uintptr_t)*mapping + alignment - 1) & (0 - alignment);
    void *at = (void *)start;
    if (file >= 0 && mmap(at, size, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_FIXED, file, 0) == MAP_FAILED) {
        munmap(*mapping, *mapped);
        *mapping = MAP_FAILED;
        return MAP_FAILED;
    }
    return at;
}

/* ----------------------------------------------------------------- looking */

const char *pool_file_state_name(pool_file_state state)
{
    static const char *const names[] = {"whole", "broken off", "busy",
                                        "damaged"};
    return names[state];
}

/* Attaches to the copy as after a restart: nobody else has it. */
static pool_file_state repair_copy(pool_file *from)
{
    bitfit_status status;
    from->repairs = bitfit_repairs(from->copy);
    bitfit_attach(from->copy, from->size, true, &status);
    if (status != BITFIT_OK)
        return POOL_FILE_DAMAGED;
    return bitfit_repairs(from->copy) == from->repairs ? POOL_FILE_WHOLE
                                                       : POOL_FILE_BROKEN_OFF;
}

static bool read_again(pool_file *from, const char **why)
{
    *why = no_pool;
    if (!read_front(from->file, from->copy, from->front)) {
        *why = errno != 0 ? strerror(errno) : no_pool;
        return false;
    }
    return bitfit_shared_front(from->copy, from->front, from->size) ==
           from->front;
}

static void pause_for(unsigned still)
{
    nanosleep(&(struct timespec){.tv_nsec = (long)PAUSE_NS << still}, NULL);
}

/* A change that is met may be under way. It is broken off, or it is damage, if
 * look after look finds the very same. */
const char *pool_file_look(pool_file *from, heap_moment *moment)
{
    const char *why;
    uLong before = 0;
    unsigned still = 0;
    from->state = POOL_FILE_BUSY;
    for (int i = 0; i < TRIES && from->state == POOL_FILE_BUSY; i++) {
        if (i > 0)
            pause_for(still);
        if (!read_again(from, &why))
            return why;
        uLong seen = crc32_z(0, (const Bytef *)from->copy, from->front);
        still = i > 0 && seen == before ? still + 1 : 0;
        before = seen;
        pool_file_state state = repair_copy(from);
        if (state == POOL_FILE_WHOLE || still == STILL)
            from->state = state;
    }
    if (!moment_of_copy(moment, from->copy, from->front))
        return no_memory;
    moment->payload = from->front;
    return NULL;
}
