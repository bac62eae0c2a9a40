#include "outside.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
    TRIES = 40,
    PAUSE_NS = 500 * 1000,
    PAGEMAP_BATCH = 512,
    PRESENT_SHIFT = 62 /* bits 62 and 63: swapped, present */
};

/* A pool whose bookkeeping is larger is no pool that we know of. */
#define SIZE_SANE ((uint64_t)1 << 36)

static const char not_allowed[] =
    "the system forbids reading this process: run as its user (and see "
    "/proc/sys/kernel/yama/ptrace_scope), or as root";
static const char gone[] = "there is no such process (any more)";
static const char no_pool[] =
    "this process has no pool to see: start it by `bitfit run`";
static const char no_memory[] = "there is not enough memory for the copy";

static const char *reason(int error)
{
    return error == EPERM || error == EACCES   ? not_allowed
           : error == ESRCH || error == ENOENT ? gone
                                               : strerror(error);
}

/* ----------------------------------------------------------- another's bytes
 */

static bool read_memory(pid_t pid, uint64_t address, void *to, size_t size)
{
    unsigned char *at = to;
    while (size > 0) {
        struct iovec local = {at, size};
        struct iovec remote = {(void *)(uintptr_t)address, size};
        ssize_t got = process_vm_readv(pid, &local, 1, &remote, 1, 0);
        if (got <= 0)
            return false;
        at += got;
        address += (uint64_t)got;
        size -= (size_t)got;
    }
    return true;
}

/* Reads the pages of [address, address + size) that were ever written; the
 * others are zero, here as there. False if something could not be read. */
static bool read_sparse(const outside *from, int pagemap)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t start = from->published.bookkeeping;
    uint64_t end = start + from->size;
    uint64_t entries[PAGEMAP_BATCH];
    for (uint64_t at = start / page; at * page < end; at += PAGEMAP_BATCH) {
        ssize_t got = pread(pagemap, entries, sizeof entries,
                            (off_t)(at * sizeof entries[0]));
        if (got < 0)
            return false;
        for (uint64_t i = 0; i < (uint64_t)got / sizeof entries[0]; i++) {
            uint64_t low = (at + i) * page;
            uint64_t high = low + page < end ? low + page : end;
            low = low > start ? low : start;
            if (low < high && entries[i] >> PRESENT_SHIFT != 0 &&
                !read_memory(from->pid, low, from->copy + (low - start),
                             high - low))
                return false;
        }
    }
    return true;
}

/* Bookkeeping of pools that people have is small, and one read is soonest
 * done; of a huge one most pages were never written. */
static bool read_bookkeeping(const outside *from)
{
    enum { DENSE_MAX = 4 << 20 };
    if (from->size <= DENSE_MAX) {
        return read_memory(from->pid, from->published.bookkeeping, from->copy,
                           from->size);
    }
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/pagemap", from->pid);
    int pagemap = open(path, O_RDONLY | O_CLOEXEC);
    if (pagemap < 0)
        return false;
    bool read = read_sparse(from, pagemap);
    int error = errno;
    close(pagemap);
    errno = error;
    return read;
}

/* ------------------------------------------------------------- opening one */

/* The address of the page named BITFIT_PUBLISHED_NAME; 0 if there is none. */
static uint64_t find_page(FILE *maps)
{
    char *line = NULL;
    size_t room = 0;
    uint64_t found = 0;
    while (found == 0 && getline(&line, &room, maps) > 0) {
        uint64_t start;
        if (strstr(line, "/memfd:" BITFIT_PUBLISHED_NAME " ") != NULL &&
            sscanf(line, "%" SCNx64, &start) == 1)
            found = start;
    }
    free(line);
    return found;
}

static const char *read_published(outside *from)
{
    bitfit_published *published = &from->published;
    if (!read_memory(from->pid, from->page, published, sizeof *published))
        return reason(errno);
    if (published->magic != BITFIT_PUBLISHED_MAGIC)
        return no_pool;
    published->version[sizeof published->version - 1] = '\0';
    if (strcmp(published->version, bitfit_version()) != 0)
        return "its pool is of another version of bitfit than this command";
    if (published->bookkeeping_size == 0 ||
        published->bookkeeping_size > SIZE_SANE)
        return "what it publishes is no pool";
    return NULL;
}

bool outside_is_process(const char *input)
{
    return *input != '\0' && input[strspn(input, "0123456789")] == '\0' &&
           strlen(input) < 10 && access(input, F_OK) != 0;
}

bool outside_is_this_command(const char *path)
{
    struct stat other;
    struct stat self;
    return stat(path, &other) == 0 && stat("/proc/self/exe", &self) == 0 &&
           other.st_dev == self.st_dev && other.st_ino == self.st_ino;
}

static bool is_this_command(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    return outside_is_this_command(path);
}

/* 0 if there is none. */
static pid_t child_of(pid_t pid)
{
    char path[64];
    int child = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
    FILE *children = fopen(path, "re");
    if (children == NULL)
        return 0;
    if (fscanf(children, "%d", &child) != 1)
        child = 0;
    fclose(children);
    return child;
}

/* Of `bitfit run` and `bitfit record` the program that they started. */
static pid_t program_of(pid_t pid)
{
    pid_t child;
    while (is_this_command(pid) && (child = child_of(pid)) != 0)
        pid = child;
    return pid;
}

const char *outside_open(outside *from, pid_t pid)
{
    char path[64];
    pid = program_of(pid);
    *from = (outside){.pid = pid};
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    FILE *maps = fopen(path, "re");
    if (maps == NULL)
        return reason(errno);
    errno = 0;
    from->page = find_page(maps);
    int error = errno;
    fclose(maps);
    if (from->page == 0)
        return error != 0 ? reason(error) : no_pool;
    return read_published(from);
}

/* ----------------------------------------------------------------- looking */

/* The place for the copy, fresh: what is not read is zero. */
static bool fresh_copy(outside *from)
{
    outside_close(from);
    from->size = from->published.bookkeeping_size;
    void *copy = mmap(NULL, from->size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    from->copy = copy == MAP_FAILED ? NULL : copy;
    return from->copy != NULL;
}

static uint64_t top_of(const heap_moment *moment)
{
    for (size_t i = moment->count; i > 0; i--) {
        const moment_run *run = &moment->runs[i - 1];
        if (run->live)
            return run->offset + run->size;
    }
    return 0;
}

void outside_leave_out_marks(const bitfit_published *published,
                             heap_moment *moment)
{
    bitfit_stats *stats = &moment->stats;
    uint64_t size = published->marks_size;
    if (size == 0 || moment->count == 0 || stats->live < size ||
        moment->runs[moment->count - 1].size != size)
        return;
    moment->count--;
    moment->top = top_of(moment);
    stats->blocks--;
    stats->capacity -= size;
    stats->live -= size;
    stats->peak_live -= size < stats->peak_live ? size : stats->peak_live;
}

const char *outside_look(outside *from, heap_moment *moment)
{
    bitfit_copy_state state = BITFIT_COPY_TORN;
    for (int i = 0; i < TRIES && state != BITFIT_COPY_WHOLE; i++) {
        if (i > 0)
            nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
        const char *why = read_published(from);
        if (why != NULL)
            return why;
        if (!fresh_copy(from))
            return no_memory;
        if (!read_bookkeeping(from))
            return reason(errno);
        state = bitfit_copy_check(from->copy, from->size);
    }
    if (state == BITFIT_COPY_NO_POOL)
        return "what it publishes is no pool, or of another build of bitfit";
    if (!moment_of_copy(moment, from->copy, from->size))
        return no_memory;
    outside_leave_out_marks(&from->published, moment);
    return NULL;
}

void outside_close(outside *from)
{
    if (from->copy != NULL)
        munmap(from->copy, from->size);
    from->copy = NULL;
}

/* ------------------------------------------------------------------- images */

static const char image_magic[] = "bitfit image ";

bool outside_is_image(const char *path)
{
    char start[sizeof image_magic - 1];
    FILE *file = strcmp(path, "-") == 0 ? NULL : fopen(path, "re");
    if (file == NULL)
        return false;
    bool is = fread(start, 1, sizeof start, file) == sizeof start &&
              memcmp(start, image_magic, sizeof start) == 0;
    fclose(file);
    return is;
}

/* Where the bookkeeping begins; 0 if this is no image, or `why` says more. */
static size_t image_start(const char *bytes, size_t size, const char **why)
{
    size_t magic = sizeof image_magic - 1;
    const char *end = memchr(bytes, '\n', size < 64 ? size : 64);
    *why = "this is not the image of a pool: it does not begin with \"bitfit "
           "image\"";
    if (size < magic || memcmp(bytes, image_magic, magic) != 0 || end == NULL)
        return 0;
    size_t length = (size_t)(end - bytes) - magic;
    *why = "this image is of another version of bitfit than this command";
    if (strlen(bitfit_version()) != length ||
        memcmp(bytes + magic, bitfit_version(), length) != 0)
        return 0;
    return (size_t)(end - bytes) + 1;
}

/* The whole file, or NULL. */
static char *read_file(FILE *file, size_t *size)
{
    size_t room = 1 << 16;
    char *bytes = malloc(room);
    *size = 0;
    while (bytes != NULL) {
        *size += fread(bytes + *size, 1, room - *size, file);
        if (*size < room)
            break;
        room *= 2;
        char *more = realloc(bytes, room);
        if (more == NULL)
            free(bytes);
        bytes = more;
    }
    return bytes;
}

const char *outside_parse_image(char *bytes, size_t size, heap_moment *moment)
{
    const char *why;
    size_t start = image_start(bytes, size, &why);
    if (start == 0)
        return why;
    memmove(bytes, bytes + start, size - start); /* aligned as malloc() is */
    size -= start;
    if (bitfit_copy_check(bytes, size) == BITFIT_COPY_NO_POOL)
        return "this image is cut off, damaged or from another machine";
    return moment_of_copy(moment, bytes, size) ? NULL : no_memory;
}

const char *outside_read_image(const char *path, heap_moment *moment)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (file == NULL)
        return strerror(errno);
    size_t size;
    char *bytes = read_file(file, &size);
    const char *why = bytes == NULL  ? no_memory
                      : ferror(file) ? strerror(errno)
                                     : outside_parse_image(bytes, size, moment);
    free(bytes);
    if (file != stdin)
        fclose(file);
    return why;
}
