/*
 * What control groups leave of the memory, by files as the kernel writes them:
 * most machines have one version of groups only, and tests make none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../malloc/system.h"

/* Every file is looked for in a folder of the test's. */
static char folder[] = "/tmp/limitsXXXXXX";

static int open_in_folder(const char *path, int flags)
{
    char there[PATH_MAX];
    snprintf(there, sizeof there, "%s%s", folder, path);
    return system_open(there, flags);
}

#define system_open open_in_folder
#include "../../malloc/limits.c"
#undef system_open

/* ------------------------------------------------------------------- files */

typedef struct file {
    const char *path;
    const char *text;
} file;

static void write_file(const file *from)
{
    char there[PATH_MAX];
    size_t front = (size_t)snprintf(there, sizeof there, "%s", folder);
    snprintf(there + front, sizeof there - front, "%s", from->path);
    for (char *at = there + front + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        mkdir(there, 0700);
        *at = '/';
    }
    FILE *to = fopen(there, "w");
    assert_non_null(to);
    fputs(from->text, to);
    fclose(to);
}

static void remove_all(void)
{
    char command[sizeof folder + 20];
    snprintf(command, sizeof command, "rm -rf %s/*", folder);
    assert_int_equal(system(command), 0);
}

/* The limit that the groups in these files set. */
static uint64_t limit_by_files(const file *files)
{
    static char text[1 << 16];
    for (; files->path != NULL; files++) {
        write_file(files);
    }
    uint64_t limit = limit_of_groups(text, sizeof text);
    remove_all();
    return limit;
}

#define LIMIT(...) limit_by_files((file[]){__VA_ARGS__, {NULL, NULL}})

#define GROUP(text)                                                            \
    {                                                                          \
        "/proc/self/cgroup", text                                              \
    }
#define MOUNTS(text)                                                           \
    {                                                                          \
        "/proc/self/mountinfo", text                                           \
    }
#define V2 "30 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n"
#define V1                                                                     \
    "33 24 0:29 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup "          \
    "rw,memory\n"
#define OTHERS                                                                 \
    "23 1 8:1 / / rw - ext4 /dev/sda1 rw\n"                                    \
    "24 23 0:22 / /proc rw - proc proc rw\n"

/* --------------------------------------------------------------- version 2 */

static void the_process_own_group_counts(void **state)
{
    (void)state;
    assert_int_equal(
        LIMIT(GROUP("0::/system.slice/a.service\n"), MOUNTS(OTHERS V2),
              {"/sys/fs/cgroup/system.slice/a.service/memory.max", "5000000\n"},
              {"/sys/fs/cgroup/system.slice/memory.max", "max\n"}),
        5000000);
}

static void so_does_every_group_around(void **state)
{
    (void)state;
    assert_int_equal(LIMIT(GROUP("0::/a/b/c\n"), MOUNTS(V2 OTHERS),
                           {"/sys/fs/cgroup/a/b/c/memory.max", "max\n"},
                           {"/sys/fs/cgroup/a/b/memory.max", "9000000\n"},
                           {"/sys/fs/cgroup/a/memory.max", "7000000\n"}),
                     7000000);
}

static void the_root_of_a_container_counts(void **state)
{
    (void)state;
    assert_int_equal(LIMIT(GROUP("0::/\n"), MOUNTS(OTHERS V2),
                           {"/sys/fs/cgroup/memory.max", "3000000\n"}),
                     3000000);
}

static void where_a_group_is_slowed_down_counts(void **state)
{
    (void)state;
    assert_int_equal(LIMIT(GROUP("0::/a\n"), MOUNTS(V2),
                           {"/sys/fs/cgroup/a/memory.max", "9000000\n"},
                           {"/sys/fs/cgroup/a/memory.high", "4000000\n"}),
                     4000000);
}

/* The mount shows the groups from one of them on. */
static void a_mount_of_a_part_counts(void **state)
{
    (void)state;
    assert_int_equal(
        LIMIT(GROUP("0::/pod/box/inner\n"),
              MOUNTS("30 23 0:26 /pod/box /groups rw - cgroup2 none rw\n"),
              {"/groups/inner/memory.max", "6000000\n"},
              {"/groups/memory.max", "8000000\n"}),
        6000000);
}

/* A process that was moved out of what its namespace shows. */
static void a_group_out_of_sight_counts_as_far_as_it_is_seen(void **state)
{
    (void)state;
    assert_int_equal(
        LIMIT(GROUP("0::/../other\n"),
              MOUNTS("30 23 0:26 /.. /sys/fs/cgroup rw - cgroup2 none rw\n"),
              {"/sys/fs/cgroup/other/memory.max", "6000000\n"}),
        6000000);
}

static void nobody_limits(void **state)
{
    (void)state;
    assert_true(LIMIT(GROUP("0::/a\n"), MOUNTS(V2),
                      {"/sys/fs/cgroup/a/memory.max", "max\n"}) == UINT64_MAX);
    assert_true(LIMIT(GROUP("0::/gone (deleted)\n"), MOUNTS(V2)) == UINT64_MAX);
    assert_true(LIMIT(GROUP(""), MOUNTS("")) == UINT64_MAX);
    assert_true(LIMIT(GROUP("nonsense"), MOUNTS("more of it")) == UINT64_MAX);
}

/* --------------------------------------------------------------- version 1 */

static void version_1_has_groups_of_its_own(void **state)
{
    (void)state;
    assert_int_equal(
        LIMIT(GROUP("9:name=systemd:/x\n4:cpu,memory:/a:b/c\n0::/\n"),
              MOUNTS(OTHERS V1),
              {"/sys/fs/cgroup/memory/a:b/c/memory.limit_in_bytes",
               "9223372036854771712\n"},
              {"/sys/fs/cgroup/memory/a:b/memory.limit_in_bytes", "2000000\n"}),
        2000000);
}

/* Both are there, and the memory belongs to one of them. */
static void with_both_versions_the_least_counts(void **state)
{
    (void)state;
    const file both[] = {
        GROUP("4:memory:/a\n0::/b\n"),
        MOUNTS(V1 OTHERS
               "35 24 0:30 / /sys/fs/cgroup/unified rw - cgroup2 none rw\n"),
        {"/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "5000000\n"},
        {"/sys/fs/cgroup/unified/b/memory.max", "4000000\n"},
        {NULL, NULL},
    };
    assert_int_equal(limit_by_files(both), 4000000);
}

/* "memory" is a controller, not a part of another's name. */
static void another_controller_is_none(void **state)
{
    (void)state;
    assert_true(LIMIT(GROUP("4:memoryless:/a\n"), MOUNTS(V1),
                      {"/sys/fs/cgroup/memory/a/memory.limit_in_bytes",
                       "2000000\n"}) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_process_own_group_counts),
        cmocka_unit_test(so_does_every_group_around),
        cmocka_unit_test(the_root_of_a_container_counts),
        cmocka_unit_test(where_a_group_is_slowed_down_counts),
        cmocka_unit_test(a_mount_of_a_part_counts),
        cmocka_unit_test(a_group_out_of_sight_counts_as_far_as_it_is_seen),
        cmocka_unit_test(nobody_limits),
        cmocka_unit_test(version_1_has_groups_of_its_own),
        cmocka_unit_test(with_both_versions_the_least_counts),
        cmocka_unit_test(another_controller_is_none),
    };
    if (mkdtemp(folder) == NULL) {
        return 1;
    }
    int failed =
        cmocka_run_group_tests_name("malloc limits", tests, NULL, NULL);
    rmdir(folder);
    return failed;
}
