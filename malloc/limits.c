#include "limits.h"

#include "system.h"

#include <limits.h>
#include <linux/sysinfo.h>
#include <string.h>

size_t limits_private(void)
{
    size_t space = system_limit(RLIMIT_AS);
    size_t data = system_limit(RLIMIT_DATA);
    return space < data ? space : data;
}

/* ------------------------------------------------------------------- files */

/* Reads the file's front, ended by a NUL; its length, 0 if there is none. */
static size_t read_file(const char *path, char *to, size_t size)
{
    size_t length = 0;
    int file = system_open(path, O_RDONLY);
    for (long more = 1; file >= 0 && more > 0 && length < size - 1;) {
        more = system_read(file, to + length, size - 1 - length);
        length += more > 0 ? (size_t)more : 0;
    }
    if (file >= 0) {
        system_close(file);
    }
    to[length] = '\0';
    return length;
}

/* The number in such a file; UINT64_MAX if there is none, as for "max". */
static uint64_t number_in(const char *path)
{
    char text[32];
    uint64_t number = 0;
    size_t length = read_file(path, text, sizeof text);
    size_t digits = 0;
    for (; digits < length && text[digits] >= '0' && text[digits] <= '9';
         digits++) {
        number = number > UINT64_MAX / 16
                     ? UINT64_MAX / 16
                     : number * 10 + (uint64_t)(text[digits] - '0');
    }
    return digits == 0 ? UINT64_MAX : number;
}

/* ------------------------------------------------------------------ groups */

/* A path that grows and shrinks at its end; too long a one is cut and then
 * names nothing. */
typedef struct path {
    size_t length;
    char name[PATH_MAX];
} path;

static void path_add(path *to, const char *from, size_t length)
{
    size_t room = sizeof to->name - 1 - to->length;
    length = length < room ? length : room;
    memcpy(to->name + to->length, from, length);
    to->length += length;
    to->name[to->length] = '\0';
}

/* A version of control groups: how a mount of it is told, and where the limits
 * of a group stand. */
typedef struct hierarchy {
    const char *type;       /* of the file system, with a space behind */
    const char *controller; /* among the mount's and the group's names; "" */
    const char *limits[3];
} hierarchy;

static const hierarchy hierarchies[] = {
    {"cgroup2 ", "", {"/memory.max", "/memory.high", NULL}},
    {"cgroup ", "memory", {"/memory.limit_in_bytes", NULL, NULL}},
};

/* The end of the word that begins here: at a space, a newline or the end. */
static const char *word_end(const char *at)
{
    return at + strcspn(at, " \n");
}

/* The word `number` words on in the line, counted from 0. */
static const char *word_at(const char *line, int number)
{
    const char *at = line;
    for (; number > 0; number--) {
        at = word_end(at);
        at += *at == ' ';
    }
    return at;
}

/* Whether one of the names between commas is this one, up to one of `ends`. */
static bool has_name(const char *names, const char *ends, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = names;; at++) {
        size_t here = strcspn(at, ",") < strcspn(at, ends) ? strcspn(at, ",")
                                                           : strcspn(at, ends);
        if (here == length && strncmp(at, name, length) == 0) {
            return true;
        }
        at += here;
        if (*at != ',') {
            return false;
        }
    }
}

/* The least limit of the group and of those around it, up to the mount. */
static uint64_t least_limit(const hierarchy *of, path *group, size_t mount)
{
    uint64_t least = UINT64_MAX;
    for (;;) {
        for (const char *const *limit = of->limits; *limit != NULL; limit++) {
            size_t length = group->length;
            path_add(group, *limit, strlen(*limit));
            uint64_t number = number_in(group->name);
            least = number < least ? number : least;
            group->length = length;
            group->name[length] = '\0';
        }
        if (group->length <= mount) {
            return least;
        }
        while (group->length > mount && group->name[--group->length] != '/') {
        }
        group->name[group->length] = '\0';
    }
}

/* The process' own group in this hierarchy, from a file of lines such as
 * "4:memory:/group"; NULL if it is in none. */
static const char *own_group(const hierarchy *of, const char *lines)
{
    for (const char *line = lines; *line != '\0';) {
        const char *names = strchr(line, ':');
        const char *group = names == NULL ? NULL : strchr(names + 1, ':');
        if (group != NULL && has_name(names + 1, ":", of->controller)) {
            return group + 1;
        }
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    return NULL;
}

/* The limit by the mount that this line describes:
 * "31 23 0:27 ROOT MOUNT OPTIONS ... - TYPE SOURCE OPTIONS". */
static uint64_t limit_by(const hierarchy *of, const char *line,
                         const char *group)
{
    static path where;
    const char *rest = strstr(line, " - ");
    const char *end = line + strcspn(line, "\n");
    if (rest == NULL || rest > end ||
        strncmp(rest + 3, of->type, strlen(of->type)) != 0 ||
        (*of->controller != '\0' &&
         !has_name(word_at(rest + 3, 2), " \n", of->controller))) {
        return UINT64_MAX;
    }
    const char *root = word_at(line, 3);
    const char *mount = word_at(line, 4);
    size_t root_length = (size_t)(word_end(root) - root);
    size_t length = strcspn(group, "\n");
    where.length = 0;
    path_add(&where, mount, (size_t)(word_end(mount) - mount));
    size_t top = where.length;
    if (root_length > 1 && strncmp(group, root, root_length) == 0) {
        group += root_length; /* the mount shows a part only */
        length -= root_length;
    }
    path_add(&where, group, length > 1 ? length : 0);
    return least_limit(of, &where, top);
}

static uint64_t limit_of_groups(char *text, size_t size)
{
    uint64_t least = UINT64_MAX;
    char *mounts = text + size / 2;
    if (read_file("/proc/self/cgroup", text, size / 2) == 0 ||
        read_file("/proc/self/mountinfo", mounts, size / 2) == 0) {
        return least;
    }
    for (const hierarchy *of = hierarchies;
         of < hierarchies + sizeof hierarchies / sizeof *hierarchies; of++) {
        const char *group = own_group(of, text);
        for (const char *line = mounts; group != NULL && *line != '\0';) {
            uint64_t limit = limit_by(of, line, group);
            least = limit < least ? limit : least;
            line += strcspn(line, "\n");
            line += *line == '\n';
        }
    }
    return least;
}

/* ----------------------------------------------------------------- machine */

static uint64_t memory_of_machine(void)
{
    struct sysinfo about = {.mem_unit = 0};
    long failed = system_call(SYS_sysinfo, (long)&about, 0, 0, 0);
    return failed != 0 ? UINT64_MAX : (uint64_t)about.totalram * about.mem_unit;
}

enum { TEXTS_SIZE = 1 << 20 };

uint64_t limits_memory(void)
{
    uint64_t memory = memory_of_machine();
    char *text = system_map(TEXTS_SIZE, PROT_READ | PROT_WRITE, -1);
    if (text != NULL) {
        uint64_t allowed = limit_of_groups(text, TEXTS_SIZE);
        memory = memory < allowed ? memory : allowed;
        system_unmap(text, TEXTS_SIZE);
    }
    return memory;
}
