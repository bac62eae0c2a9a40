#include "output.h"

#include "../trace/format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096, WINDOW = 1 << 20 };

/* ------------------------------------------------------------------ growth */

/* Gives the file its blocks on the disk: a mapped page without one would end
 * the program by SIGBUS where the disk is full. */
static bool allocate(int file, uint64_t size)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && size > limit.rlim_cur)
        return false; /* growing would end the program by SIGXFSZ */
    if (fallocate(file, 0, 0, (off_t)size) == 0)
        return true;
    return errno == EOPNOTSUPP && ftruncate(file, (off_t)size) == 0;
}

static unsigned char *map_part(int file, uint64_t offset, size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file,
                    (off_t)offset);
    return at == MAP_FAILED ? NULL : at;
}

static int open_same(const output *to)
{
    struct stat about;
    int file = open(to->path, O_RDWR | O_CLOEXEC);
    if (file >= 0 && fstat(file, &about) == 0 && about.st_dev == to->device &&
        about.st_ino == to->inode)
        return file;
    if (file >= 0)
        close(file);
    return -1;
}

static bool map_window(output *to, int file, uint64_t offset)
{
    if (!allocate(file, offset + WINDOW))
        return false;
    to->window = map_part(file, offset, WINDOW);
    to->window_at = offset;
    return to->window != NULL;
}

static void unmap_window(output *to)
{
    if (to->window != NULL)
        munmap(to->window, WINDOW);
    to->window = NULL;
}

/* Maps the part of the file that begins with the page of the next byte. */
static bool move_window(output *to)
{
    unmap_window(to);
    int file = open_same(to);
    if (file < 0)
        return false;
    bool moved = map_window(to, file, to->written / PAGE * PAGE);
    close(file);
    return moved;
}

/* -------------------------------------------------------------- operations */

bool output_create(output *to, const char *path)
{
    struct stat about;
    size_t length = strlen(path);
    memset(to, 0, sizeof *to);
    if (length >= sizeof to->path)
        return false;
    memcpy(to->path, path, length + 1);
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0)
        return false;
    bool created = fstat(file, &about) == 0 && map_window(to, file, 0);
    to->device = about.st_dev;
    to->inode = about.st_ino;
    to->header = created ? map_part(file, 0, PAGE) : NULL;
    close(file);
    return to->header != NULL;
}

bool output_put(output *to, const void *bytes, size_t count)
{
    while (count > 0) {
        uint64_t at = to->written - to->window_at;
        if (count > WINDOW - at && at >= PAGE) {
            if (!move_window(to))
                return false;
            continue;
        }
        size_t part = count < WINDOW - at ? count : (size_t)(WINDOW - at);
        memcpy(to->window + at, bytes, part);
        to->written += part;
        bytes = (const char *)bytes + part;
        count -= part;
    }
    atomic_thread_fence(memory_order_release);
    trace_put_written(to->header, to->written);
    return true;
}

/* Of one process at a time: under the recorder's lock. */
static bool copy_file(const char *from, const char *to, uint64_t size)
{
    int source = open(from, O_RDONLY | O_CLOEXEC);
    int target = open(to, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bool good = source >= 0 && target >= 0;
    while (good && size > 0) {
        static unsigned char part[1 << 16];
        ssize_t got =
            read(source, part, size < sizeof part ? (size_t)size : sizeof part);
        good = got > 0 && write(target, part, (size_t)got) == got;
        size -= good ? (uint64_t)got : 0;
    }
    if (source >= 0)
        close(source);
    if (target >= 0)
        close(target);
    return good;
}

bool output_fork(output *to, const char *path)
{
    struct stat about;
    size_t length = strlen(path);
    if (length >= sizeof to->path || !copy_file(to->path, path, to->written) ||
        stat(path, &about) != 0)
        return false;
    memcpy(to->path, path, length + 1);
    to->device = about.st_dev;
    to->inode = about.st_ino;
    munmap(to->header, PAGE);
    to->header = NULL;
    if (!move_window(to))
        return false;
    int file = open_same(to);
    to->header = file < 0 ? NULL : map_part(file, 0, PAGE);
    if (file >= 0)
        close(file);
    if (to->header != NULL)
        trace_put_written(to->header, to->written);
    return to->header != NULL;
}

void output_close(output *to)
{
    int file = open_same(to);
    if (file < 0)
        return;
    if (ftruncate(file, (off_t)to->written) != 0)
        to->written = 0; /* what is too much does no harm */
    close(file);
}
