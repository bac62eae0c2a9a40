#include "outside.h"

#include "heap.h"

#include <string.h>

/* ------------------------------------------------------------------- lines */

/* A file that is read line by line. */
typedef struct reader {
    int file;
    long left; /* bytes from `at` on */
    const char *at;
    char bytes[8192];
    char line[160]; /* the line, or its front */
} reader;

static bool refill(reader *from)
{
    from->left = system_read(from->file, from->bytes, sizeof from->bytes);
    from->at = from->bytes;
    return from->left > 0;
}

/* False at the end. */
static bool next_line(reader *from)
{
    size_t length = 0;
    for (char byte = '\0'; byte != '\n'; from->left--) {
        if (from->left <= 0 && !refill(from)) {
            return false;
        }
        byte = *from->at++;
        if (byte != '\n' && length < sizeof from->line - 1) {
            from->line[length++] = byte;
        }
    }
    from->line[length] = '\0';
    return true;
}

static bool open_lines(reader *from, const char *path)
{
    from->file = system_open(path, O_RDONLY);
    from->left = 0;
    return from->file >= 0;
}

static bool begins(const char *text, const char *front)
{
    return strncmp(text, front, strlen(front)) == 0;
}

/* The bytes in "Name:    12 kB". */
static size_t size_in(const char *line)
{
    size_t number = 0;
    for (const char *at = line + strcspn(line, "0123456789");
         *at >= '0' && *at <= '9'; at++) {
        number = number * 10 + (size_t)(*at - '0');
    }
    return number * 1024;
}

/* ---------------------------------------------------------------- mappings */

enum kind { THE_POOL, OUR_OWN, MAPPED, THE_REST, KINDS };

static const char *skip_words(const char *at, int words)
{
    for (; words > 0; words--) {
        at += strcspn(at, " ");
        at += strspn(at, " ");
    }
    return at;
}

static uintptr_t address_in(const char *line)
{
    uintptr_t address = 0;
    for (; *line != '-' && *line != '\0'; line++) {
        unsigned digit =
            (unsigned)(*line <= '9' ? *line - '0' : *line - 'a' + 10);
        address = address << 4 | (digit & 15);
    }
    return address;
}

/* Memory has no file behind it, or one that is in memory itself. */
static bool is_memory(const char *number, const char *name)
{
    static const char *const fronts[] = {"/dev/zero", "/memfd:", "/SYSV",
                                         "/dev/shm/", "/anon_hugepage"};
    if (begins(number, "0 ")) {
        return name[0] == '\0' || begins(name, "[heap") ||
               begins(name, "[anon");
    }
    for (size_t i = 0; i < sizeof fronts / sizeof fronts[0]; i++) {
        if (begins(name, fronts[i])) {
            return true;
        }
    }
    return false;
}

/* Of the mapping "START-END RIGHTS OFFSET DEVICE NUMBER   NAME". */
static enum kind kind_of(const char *line)
{
    uintptr_t start = address_in(line);
    for (size_t i = 0; i < PARTS; i++) {
        if (start - SETTINGS->parts[i].start < SETTINGS->parts[i].size) {
            return i == PART_PAYLOAD ? THE_POOL : OUR_OWN;
        }
    }
    const char *number = skip_words(line, 4);
    return is_memory(number, skip_words(number, 1)) ? MAPPED : THE_REST;
}

/* Bytes in memory of each kind; false if the system does not say. */
static bool add_up(reader *from, size_t sizes[KINDS], size_t *hidden)
{
    enum kind kind = THE_REST;
    if (!open_lines(from, "/proc/self/smaps")) {
        return false;
    }
    while (next_line(from)) {
        const char *line = from->line;
        if (line[0] < 'A' || line[0] > 'Z') {
            kind = kind_of(line);
        } else if (begins(line, "Rss:")) {
            sizes[kind] += size_in(line);
        } else if (kind == MAPPED &&
                   (begins(line, "Swap:") || begins(line, "Shared_Hugetlb:") ||
                    begins(line, "Private_Hugetlb:"))) {
            *hidden += size_in(line);
        }
    }
    system_close(from->file);
    return true;
}

/* The most that the process had in memory at one time. */
static size_t peak(reader *from)
{
    size_t size = 0;
    if (open_lines(from, "/proc/self/status")) {
        while (size == 0 && next_line(from)) {
            size = begins(from->line, "VmHWM:") ? size_in(from->line) : 0;
        }
        system_close(from->file);
    }
    return size;
}

size_t outside_most(size_t pool_most)
{
    static reader from; /* the stack may be a handler's */
    size_t sizes[KINDS] = {0};
    size_t hidden = 0; /* swapped, or in huge pages: not "in memory" */
    if (!add_up(&from, sizes, &hidden)) {
        return 0;
    }
    size_t now = sizes[MAPPED] + hidden;
    size_t pool = sizes[THE_POOL] > pool_most ? sizes[THE_POOL] : pool_most;
    size_t others = pool + sizes[OUR_OWN] + sizes[THE_REST];
    size_t most = peak(&from);
    most = most > others ? most - others : 0;
    return most > now ? most : now;
}
