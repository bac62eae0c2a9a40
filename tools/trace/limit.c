#include "limit.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void lower(size_t *limit, uint64_t to)
{
    if (to < *limit)
        *limit = (size_t)to;
}

static void lower_by_machine(size_t *limit)
{
    long pages = sysconf(_SC_PHYS_PAGES);
    long page = sysconf(_SC_PAGESIZE);
    if (pages > 0 && page > 0)
        lower(limit, (uint64_t)pages * (uint64_t)page);
}

static void lower_by_resources(size_t *limit)
{
    struct rlimit addresses, data;
    if (getrlimit(RLIMIT_AS, &addresses) == 0)
        lower(limit, addresses.rlim_cur); /* RLIM_INFINITY is the largest */
    if (getrlimit(RLIMIT_DATA, &data) == 0)
        lower(limit, data.rlim_cur);
}

/* ----------------------------------------------------------- control groups */

/* "max" is no number, and no limit. */
static void lower_by_file(size_t *limit, const char *path)
{
    FILE *file = fopen(path, "re");
    unsigned long long bytes;
    if (file == NULL)
        return;
    if (fscanf(file, "%llu", &bytes) == 1)
        lower(limit, bytes);
    fclose(file);
}

/* By the group and those above it. In a container the root that is mounted may
 * be the group itself: then only the last step finds a file. */
static void lower_by_group(size_t *limit, const char *root, char *group,
                           const char *name)
{
    char path[PATH_MAX];
    for (;;) {
        int length = snprintf(path, sizeof path, "%s%s/%s", root, group, name);
        if (length > 0 && (size_t)length < sizeof path)
            lower_by_file(limit, path);
        char *slash = strrchr(group, '/');
        if (slash == NULL)
            return;
        *slash = '\0';
    }
}

/* Whether "cpu,memory" has "memory". */
static bool has_memory(char *controllers)
{
    for (char *one; (one = strsep(&controllers, ",")) != NULL;) {
        if (strcmp(one, "memory") == 0)
            return true;
    }
    return false;
}

/* A line is NUMBER:CONTROLLERS:GROUP; version 2 has no controllers. */
static void lower_by_groups(size_t *limit)
{
    FILE *file = fopen("/proc/self/cgroup", "re");
    char *line = NULL;
    size_t room = 0;
    while (file != NULL && getline(&line, &room, file) > 0) {
        char *rest = line;
        line[strcspn(line, "\n")] = '\0';
        strsep(&rest, ":");
        char *controllers = strsep(&rest, ":");
        if (rest == NULL)
            continue;
        if (*controllers == '\0') {
            lower_by_group(limit, "/sys/fs/cgroup", rest, "memory.max");
        } else if (has_memory(controllers)) {
            lower_by_group(limit, "/sys/fs/cgroup/memory", rest,
                           "memory.limit_in_bytes");
        }
    }
    free(line);
    if (file != NULL)
        fclose(file);
}

size_t memory_limit(void)
{
    size_t limit = SIZE_MAX;
    lower_by_machine(&limit);
    lower_by_resources(&limit);
    lower_by_groups(&limit);
    return limit;
}
