#include "output.h"

#include "../trace/format.h"
#include "../trace/system.h"

#include <stdatomic.h>
#include <string.h>

enum { WINDOW = 1 << 20, ROOM = WINDOW - 1 /* for the end */ };

/* --------------------------------------------------------------- descriptors
 */

static bool is_same(const output *to, int file)
{
    struct statx about;
    return system_about(file, &about) && about.stx_ino == to->inode &&
           ((uint64_t)about.stx_dev_major << 32 | about.stx_dev_minor) ==
               to->device;
}

static bool note_identity(output *to, int file)
{
    struct statx about;
    if (!system_about(file, &about))
        return false;
    to->inode = about.stx_ino;
    to->device = (uint64_t)about.stx_dev_major << 32 | about.stx_dev_minor;
    return true;
}

/* Another thread may close it, not knowing it, and open a file of its own:
 * never close that one. */
void output_close(const output *of, int file)
{
    if (file >= 0 && is_same(of, file))
        system_close(file);
}

/* A high number, which hardly anybody closes without knowing it. */
static int lift(int file)
{
    enum { LIFTED = 900 };
    int high = file < 0 ? file
                        : (int)system_call6(SYS_fcntl, file, F_DUPFD_CLOEXEC,
                                            LIFTED, 0, 0, 0);
    if (high < 0)
        return file;
    system_close(file);
    return high;
}

int output_open(const output *of)
{
    int file = lift(system_open(of->path, O_RDWR));
    if (file >= 0 && !is_same(of, file)) {
        system_close(file);
        return -1;
    }
    return file;
}

/* ------------------------------------------------------------------- growth */

/* Gives the file its blocks on the disk: a mapped page without one would end
 * the program by SIGBUS where the disk is full. */
static bool allocate(int file, uint64_t size)
{
    struct rlimit64 limit;
    if (system_call6(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, (long)&limit, 0, 0) ==
            0 &&
        size > limit.rlim_cur)
        return false; /* growing would end the program by SIGXFSZ */
    long result = system_allocate(file, size);
    return result == 0 ||
           (result == -EOPNOTSUPP && system_truncate(file, size) == 0);
}

/* Where the page of this byte begins. */
static uint64_t page_of(uint64_t at)
{
    return at / system_page() * system_page();
}

static unsigned char *map_part(int file, uint64_t offset, size_t size)
{
    /* Who has filled one window will fill the next. */
    int flags = offset > 0 ? MAP_SHARED | MAP_POPULATE : MAP_SHARED;
    return system_map(size, flags, file, offset);
}

static bool map_window(output *to, int file, uint64_t offset)
{
    if (!is_same(to, file) || !allocate(file, offset + WINDOW))
        return false;
    to->window_at = offset;
    to->window = map_part(file, offset, WINDOW);
    return to->window != NULL;
}

static void unmap_window(output *to)
{
    unsigned char *window = to->window;
    to->window = NULL; /* first: a handler may end the recording now */
    atomic_signal_fence(memory_order_seq_cst);
    if (window != NULL)
        system_unmap(window, WINDOW);
}

/* Maps the part of the file that begins with the page of the next byte. */
static bool move_window(output *to)
{
    unmap_window(to);
    int file = output_open(to);
    if (file < 0)
        return false;
    bool moved = map_window(to, file, page_of(to->written));
    output_close(to, file);
    return moved;
}

/* --------------------------------------------------------------- operations */

/* A new file if possible: who still maps the old one would be ended by SIGBUS
 * if it were emptied. */
static int create(const char *path)
{
    system_call6(SYS_unlinkat, AT_FDCWD, (long)path, 0, 0, 0, 0);
    return lift(system_open(path, O_RDWR | O_CREAT | O_TRUNC));
}

bool output_create(output *to, const char *path)
{
    size_t length = strlen(path);
    memset(to, 0, sizeof *to);
    if (length >= sizeof to->path)
        return false;
    memcpy(to->path, path, length + 1);
    int file = create(path);
    if (file < 0)
        return false;
    bool created = note_identity(to, file) && map_window(to, file, 0);
    to->header = created ? map_part(file, 0, system_page()) : NULL;
    output_close(to, file);
    return to->header != NULL;
}

bool output_put(output *to, const void *bytes, size_t count)
{
    while (count > 0) {
        uint64_t at = to->written - to->window_at;
        if (count > ROOM - at && at >= system_page()) {
            if (!move_window(to))
                return false;
            continue;
        }
        size_t part = count < ROOM - at ? count : (size_t)(ROOM - at);
        memcpy(to->window + at, bytes, part);
        to->written += part;
        bytes = (const char *)bytes + part;
        count -= part;
    }
    atomic_thread_fence(memory_order_release);
    trace_put_written(to->header, to->written);
    return true;
}

void output_end(output *to, unsigned char last)
{
    unsigned char *window = to->window;
    if (to->header == NULL || window == NULL)
        return;
    uint64_t end = trace_written(to->header);
    if (end - to->window_at >= WINDOW)
        return;
    window[end - to->window_at] = last;
    atomic_thread_fence(memory_order_release);
    trace_put_written(to->header, end + 1);
    int file = output_open(to);
    if (file < 0)
        return;
    system_truncate(file, end + 1);
    output_close(to, file);
}

/* --------------------------------------------------------------------- forks
 */

/* One process at a time calls it: under the recorder's lock. */
static bool copy_file(int from, int to, uint64_t size)
{
    static unsigned char part[1 << 16];
    for (uint64_t at = 0; at < size;) {
        size_t wanted =
            size - at < sizeof part ? (size_t)(size - at) : sizeof part;
        long got = system_read_at(from, part, wanted, at);
        if (got <= 0 || system_write(to, part, (size_t)got) != got)
            return false;
        at += (uint64_t)got;
    }
    return true;
}

bool output_fork(output *to, int from, const char *path)
{
    uint64_t size = to->written;
    if (!is_same(to, from) || strlen(path) >= sizeof to->path)
        return false;
    int file = create(path);
    bool forked = file >= 0 && copy_file(from, file, size);
    output_close(to, from);
    unmap_window(to);
    system_unmap(to->header, system_page());
    strcpy(to->path, path);
    forked = forked && note_identity(to, file) &&
             map_window(to, file, page_of(size));
    to->header = forked ? map_part(file, 0, system_page()) : NULL;
    if (to->header != NULL)
        trace_put_written(to->header, size);
    output_close(to, file);
    return to->header != NULL;
}

void output_detach(output *to)
{
    to->path[0] = '\0';
    if (to->window != NULL)
        system_replace(to->window, WINDOW);
    if (to->header != NULL)
        system_replace(to->header, system_page());
}
