/*
 * What programs rely on, through the names that they use. Linked with the
 * library, as a program may be; the other tests preload it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mode.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void cfree(void *ptr);
void free_sized(void *ptr, size_t size);
void free_aligned_sized(void *ptr, size_t alignment, size_t size);
size_t malloc_size(const void *ptr);
size_t malloc_good_size(size_t size);
void *reallocf(void *ptr, size_t size);

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* The compiler knows these functions too well: it must not see the sizes. */
static size_t hidden(size_t size)
{
    static volatile size_t zero;
    return size + zero;
}

/* Blocks of `size` usable bytes are `taken` from the pool: exactly as much by
 * default. Hardened, canaries and guard pages, which no program may use, come
 * on top. */
static void assert_taken(size_t taken, size_t size)
{
    assert_true(is_hardened() ? taken > size : taken == size);
}

/* ------------------------------------------------------------------ symbols */

static const char *const names[] = {
    "malloc", "calloc", "realloc", "free", "reallocarray", "aligned_alloc",
    "memalign", "posix_memalign", "valloc", "pvalloc", "malloc_usable_size",
    "cfree", "free_sized", "free_aligned_sized", "__libc_malloc",
    "__libc_calloc", "__libc_realloc", "__libc_free", "__libc_memalign",
    "__libc_valloc", "__libc_pvalloc", "__libc_cfree", "__libc_reallocarray",
    "__posix_memalign", "mallinfo", "mallinfo2", "mallopt", "malloc_trim",
    "malloc_stats", "malloc_info", "malloc_size", "malloc_good_size",
    "reallocf",
    /* new and new[]: plain, nothrow, aligned, aligned nothrow */
    "_Znwm", "_ZnwmRKSt9nothrow_t", "_ZnwmSt11align_val_t",
    "_ZnwmSt11align_val_tRKSt9nothrow_t", "_Znam", "_ZnamRKSt9nothrow_t",
    "_ZnamSt11align_val_t", "_ZnamSt11align_val_tRKSt9nothrow_t",
    /* delete and delete[]: plain, nothrow, sized, aligned, aligned nothrow,
     * sized aligned */
    "_ZdlPv", "_ZdlPvRKSt9nothrow_t", "_ZdlPvm", "_ZdlPvSt11align_val_t",
    "_ZdlPvSt11align_val_tRKSt9nothrow_t", "_ZdlPvmSt11align_val_t", "_ZdaPv",
    "_ZdaPvRKSt9nothrow_t", "_ZdaPvm", "_ZdaPvSt11align_val_t",
    "_ZdaPvSt11align_val_tRKSt9nothrow_t", "_ZdaPvmSt11align_val_t"};

static void every_name_is_the_librarys(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(names); i++) {
        Dl_info info = {0};
        void *found = dlsym(RTLD_DEFAULT, names[i]);
        assert_non_null(found);
        assert_int_not_equal(dladdr(found, &info), 0);
        if (strstr(info.dli_fname, "libbitfit-malloc") == NULL) {
            fail_msg("%s is %s's", names[i], info.dli_fname);
        }
    }
}

/* ---------------------------------------------------------------- behaviour */

static void malloc_0_is_unique_and_not_null(void **state)
{
    (void)state;
    char *a = malloc(hidden(0));
    char *b = malloc(hidden(0));
    assert_non_null(a);
    assert_non_null(b);
    assert_ptr_not_equal(a, b);
    assert_int_equal(malloc_usable_size(a), 0);
    char *grown = realloc(a, hidden(100));
    memset(grown, 1, 100);
    assert_ptr_not_equal(grown, a);
    free(grown);
    free(b);
    free(realloc(calloc(hidden(0), 8), 20));
    for (size_t alignment = 8; alignment <= 1 << 20; alignment *= 2) {
        a = memalign(alignment, hidden(0));
        assert_int_equal((uintptr_t)a % alignment, 0);
        free(a);
    }
}

static void free_null_does_nothing(void **state)
{
    (void)state;
    errno = 77;
    free(NULL);
    cfree(NULL);
    free_sized(NULL, 5);
    free_aligned_sized(NULL, 64, 5);
    assert_int_equal(errno, 77);
    assert_int_equal(malloc_usable_size(NULL), 0);
}

static void realloc_null_is_malloc(void **state)
{
    (void)state;
    char *a = realloc(NULL, hidden(100));
    assert_non_null(a);
    assert_true(malloc_usable_size(a) >= 100);
    free(a);
}

static void realloc_0_frees_and_returns_null(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 100, 5000, 100000, 3000000};
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        void *a = malloc(sizes[i]);
        size_t before = mallinfo2().uordblks;
        size_t size = malloc_usable_size(a);
        assert_null(realloc(a, hidden(0)));
        assert_taken(before - mallinfo2().uordblks, size);
    }
}

static void shrinking_never_fails_and_keeps_the_content(void **state)
{
    (void)state;
    for (size_t size = 2; size < 4000000; size = size * 3 / 2 + 1) {
        unsigned char *a = malloc(size);
        memset(a, 0x5a, size);
        for (size_t less = size - 1; less > 0; less /= 3) {
            a = realloc(a, less);
            assert_non_null(a);
            assert_int_equal(a[0], 0x5a);
            assert_int_equal(a[less - 1], 0x5a);
            assert_true(malloc_usable_size(a) < less + 16);
        }
        free(a);
    }
}

static void growing_keeps_the_content(void **state)
{
    (void)state;
    unsigned char *a = NULL;
    size_t before = 0;
    for (size_t size = 1; size < 4000000; size = size * 5 / 4 + 1) {
        a = realloc(a, size);
        assert_non_null(a);
        for (size_t i = 0; i < before; i += 1 + before / 100) {
            assert_int_equal(a[i], i & 0xff);
        }
        for (size_t i = 0; i < size; i++) {
            a[i] = (unsigned char)i;
        }
        before = size;
    }
    free(a);
}

static void blocks_are_aligned_to_16_whatever_the_size(void **state)
{
    (void)state;
    for (size_t size = 0; size < 5000; size++) {
        char *a = malloc(size);
        char *b = calloc(1, size);
        assert_int_equal((uintptr_t)a % 16, 0);
        assert_int_equal((uintptr_t)b % 16, 0);
        a = realloc(a, size + 1000);
        assert_int_equal((uintptr_t)a % 16, 0);
        free(a);
        free(b);
    }
}

static void aligned_requests_are_aligned(void **state)
{
    (void)state;
    for (size_t alignment = 1; alignment <= 1 << 21; alignment *= 2) {
        for (size_t size = 0; size < 100000; size = size * 7 + 3) {
            void *a = aligned_alloc(alignment, size);
            void *b = memalign(alignment, size);
            void *c = NULL;
            int status = posix_memalign(&c, alignment, size);
            assert_int_equal((uintptr_t)a % alignment, 0);
            assert_int_equal((uintptr_t)b % alignment, 0);
            assert_int_equal((uintptr_t)c % alignment, 0);
            assert_int_equal(status, alignment < sizeof(void *) ? EINVAL : 0);
            memset(a, 1, size);
            free_aligned_sized(a, alignment, size);
            free(b);
            free(c);
        }
    }
}

static void page_requests_are_whole_pages(void **state)
{
    (void)state;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *a = valloc(hidden(1));
    void *b = pvalloc(hidden(1));
    assert_int_equal((uintptr_t)a % page, 0);
    assert_int_equal((uintptr_t)b % page, 0);
    assert_int_equal(malloc_usable_size(b), page);
    free(a);
    free(b);
}

static void bad_alignments_are_einval(void **state)
{
    (void)state;
    static const size_t bad[] = {0, 3, 24, 4095, SIZE_MAX, SIZE_MAX / 2 + 2};
    for (size_t i = 0; i < LENGTH(bad); i++) {
        void *kept = &kept;
        errno = 0;
        assert_null(aligned_alloc(hidden(bad[i]), 100));
        assert_int_equal(errno, EINVAL);
        errno = 77;
        assert_int_equal(posix_memalign(&kept, hidden(bad[i]), 100), EINVAL);
        assert_int_equal(errno, 77);
        assert_ptr_equal(kept, &kept);
    }
    void *kept = &kept;
    assert_int_equal(posix_memalign(&kept, 4, 100), EINVAL);
    errno = 0;
    assert_null(memalign(hidden(SIZE_MAX), 100));
    assert_int_equal(errno, EINVAL);
    void *rounded = memalign(hidden(24), 100); /* as glibc does */
    assert_int_equal((uintptr_t)rounded % 32, 0);
    free(rounded);
}

/* ------------------------------------------------------------ sizes that wrap
 */

static void assert_enomem(void *block, size_t size)
{
    if (block != NULL || errno != ENOMEM) {
        fail_msg("%zu bytes: %p, errno %d", size, block, errno);
    }
    errno = 0;
}

static void sizes_that_cannot_be_are_enomem(void **state)
{
    (void)state;
    static const size_t sizes[] = {
        PTRDIFF_MAX - 1, PTRDIFF_MAX,      (size_t)PTRDIFF_MAX + 1,
        SIZE_MAX - 4096, SIZE_MAX - 4095,  SIZE_MAX - 32,
        SIZE_MAX - 16,   SIZE_MAX - 1,     SIZE_MAX,
        (size_t)1 << 47, ((size_t)1 << 62)};
    char *kept = malloc(100);
    strcpy(kept, "kept");
    size_t before = mallinfo2().uordblks;
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        size_t size = hidden(sizes[i]);
        void *untouched = &untouched;
        errno = 0;
        assert_enomem(malloc(size), size);
        assert_enomem(calloc(1, size), size);
        assert_enomem(calloc(size, 1), size);
        assert_enomem(realloc(kept, size), size);
        assert_enomem(realloc(NULL, size), size);
        assert_enomem(reallocarray(kept, size, 1), size);
        assert_enomem(aligned_alloc(64, size), size);
        assert_enomem(aligned_alloc(hidden((SIZE_MAX >> 1) + 1), size), size);
        assert_enomem(memalign(4096, size), size);
        assert_enomem(valloc(size), size);
        assert_enomem(pvalloc(size), size);
        assert_int_equal(posix_memalign(&untouched, 64, size), ENOMEM);
        assert_ptr_equal(untouched, &untouched);
    }
    assert_string_equal(kept, "kept");
    assert_int_equal(mallinfo2().uordblks, before);
    free(kept);
}

static void products_that_wrap_are_enomem(void **state)
{
    (void)state;
    char *kept = malloc(100);
    for (unsigned shift = 1; shift < 64; shift++) {
        size_t count = hidden((size_t)1 << shift);
        size_t size = hidden((size_t)1 << (64 - shift));
        errno = 0;
        assert_enomem(calloc(count, size), size);
        assert_enomem(calloc(count + 1, size), size);
        assert_enomem(reallocarray(kept, count, size), size);
    }
    free(kept);
}

static void sizes_around_the_limits_of_classes_work(void **state)
{
    (void)state;
    static const size_t around[] = {16,    1024,    4096,   32768,
                                    65536, 1 << 20, 1 << 24};
    for (size_t i = 0; i < LENGTH(around); i++) {
        for (size_t size = around[i] - 17; size <= around[i] + 17; size++) {
            unsigned char *a = malloc(size);
            unsigned char *b = calloc(size, 1);
            assert_non_null(a);
            assert_non_null(b);
            memset(a, 0xff, malloc_usable_size(a));
            assert_int_equal(b[0] | b[size / 2] | b[size - (size > 0)], 0);
            free_sized(a, size);
            free_sized(b, size);
        }
    }
}

/* ------------------------------------------------------------------- others */

static void free_keeps_errno(void **state)
{
    (void)state;
    for (size_t size = 1; size < 4000000; size *= 3) {
        void *blocks[300];
        for (size_t i = 0; i < LENGTH(blocks); i++) {
            blocks[i] = malloc(size);
        }
        errno = 77;
        for (size_t i = 0; i < LENGTH(blocks); i++) {
            free(blocks[i]);
        }
        assert_int_equal(errno, 77);
    }
}

static void usable_size_is_usable_and_stable(void **state)
{
    (void)state;
    for (size_t size = 1; size < 3000; size += 7) {
        unsigned char *a = malloc(size);
        unsigned char *next = malloc(size);
        size_t usable = malloc_usable_size(a);
        assert_true(usable >= size && usable < size + 32);
        memset(next, 1, malloc_usable_size(next));
        memset(a, 2, usable);
        assert_int_equal(malloc_usable_size(a), usable);
        assert_int_equal(malloc_size(a), usable);
        assert_int_equal(next[0], 1);
        free(a);
        free(next);
    }
}

static void good_size_is_what_a_request_gets(void **state)
{
    (void)state;
    for (size_t size = 0; size < 100000; size = size * 3 / 2 + 1) {
        void *a = malloc(size);
        assert_int_equal(malloc_good_size(size), malloc_usable_size(a));
        free(a);
    }
}

static void assert_zero(const unsigned char *block, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(block[i], 0);
    }
}

static void calloc_is_zero_on_fresh_used_and_trimmed_memory(void **state)
{
    (void)state;
    static const size_t sizes[] = {1,     17,     300,     1024,   5000,
                                   32768, 100000, 1000000, 5000000};
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < LENGTH(sizes); i++) {
            unsigned char *a = calloc(1, sizes[i]);
            assert_zero(a, sizes[i]);
            memset(a, 0xff, malloc_usable_size(a));
            free(a);
            a = calloc(sizes[i], 1);
            assert_zero(a, sizes[i]);
            memset(a, 0xff, malloc_usable_size(a));
            free(a);
        }
        if (round == 1) {
            malloc_trim(0);
        }
    }
}

static void reallocf_frees_what_it_cannot_resize(void **state)
{
    (void)state;
    void *a = malloc(5000);
    size_t before = mallinfo2().uordblks;
    size_t size = malloc_usable_size(a);
    assert_null(reallocf(a, hidden(SIZE_MAX)));
    assert_taken(before - mallinfo2().uordblks, size);
}

/* ------------------------------------------------------------ introspection */

static void mallinfo_tells_the_truth(void **state)
{
    (void)state;
    struct mallinfo2 before = mallinfo2();
    void *blocks[1000];
    size_t size = 0;
    for (size_t i = 0; i < LENGTH(blocks); i++) {
        blocks[i] = malloc(i * 11);
        size += malloc_usable_size(blocks[i]);
    }
    struct mallinfo2 during = mallinfo2();
    assert_taken(during.uordblks - before.uordblks, size);
    assert_int_equal(during.arena, during.uordblks + during.fordblks);
    assert_int_equal(mallinfo().uordblks, during.uordblks);
    for (size_t i = 0; i < LENGTH(blocks); i++) {
        free(blocks[i]);
    }
    struct mallinfo2 after = mallinfo2();
    assert_int_equal(after.uordblks, before.uordblks);
    assert_true(after.fsmblks > 0);
    assert_int_equal(mallopt(M_MMAP_THRESHOLD, 4096), 1);
}

static void malloc_info_is_xml_of_the_same(void **state)
{
    (void)state;
    char *content = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&content, &length);
    assert_int_equal(malloc_info(0, stream), 0);
    fclose(stream);
    assert_non_null(strstr(content, "<malloc version="));
    assert_non_null(strstr(content, "<live size="));
    assert_non_null(strstr(content, "</malloc>"));
    free(content);
    errno = 0;
    assert_int_equal(malloc_info(1, stdout), -1);
    assert_int_equal(errno, EINVAL);
}

static size_t resident(void)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*u %zu", &pages), 1);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

enum { LARGE = 64 << 20 };

static void malloc_trim_gives_pages_back(void **state)
{
    (void)state;
    char *a = malloc(LARGE);
    memset(a, 1, LARGE);
    size_t before = resident();
    free(a);
    /* Hardened, so large a block has given its pages back already. */
    assert_true(malloc_trim(0) == 1 || is_hardened());
    assert_true(before - resident() > LARGE * 9 / 10);
    assert_int_equal(malloc_trim(0), 0);
}

static void freed_pages_are_given_back_by_themselves(void **state)
{
    (void)state;
    char *a = malloc(LARGE);
    memset(a, 1, LARGE);
    size_t before = resident();
    free(a);
    for (int i = 0; i < 300 && before - resident() < LARGE / 2; i++) {
        usleep(10000);
        for (int j = 0; j < 100; j++) {
            free(malloc(100000));
        }
    }
    assert_true(before - resident() > LARGE * 9 / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_is_the_librarys),
        cmocka_unit_test(malloc_0_is_unique_and_not_null),
        cmocka_unit_test(free_null_does_nothing),
        cmocka_unit_test(realloc_null_is_malloc),
        cmocka_unit_test(realloc_0_frees_and_returns_null),
        cmocka_unit_test(shrinking_never_fails_and_keeps_the_content),
        cmocka_unit_test(growing_keeps_the_content),
        cmocka_unit_test(blocks_are_aligned_to_16_whatever_the_size),
        cmocka_unit_test(aligned_requests_are_aligned),
        cmocka_unit_test(page_requests_are_whole_pages),
        cmocka_unit_test(bad_alignments_are_einval),
        cmocka_unit_test(sizes_that_cannot_be_are_enomem),
        cmocka_unit_test(products_that_wrap_are_enomem),
        cmocka_unit_test(sizes_around_the_limits_of_classes_work),
        cmocka_unit_test(free_keeps_errno),
        cmocka_unit_test(usable_size_is_usable_and_stable),
        cmocka_unit_test(good_size_is_what_a_request_gets),
        cmocka_unit_test(calloc_is_zero_on_fresh_used_and_trimmed_memory),
        cmocka_unit_test(reallocf_frees_what_it_cannot_resize),
        cmocka_unit_test(mallinfo_tells_the_truth),
        cmocka_unit_test(malloc_info_is_xml_of_the_same),
        cmocka_unit_test(malloc_trim_gives_pages_back),
        cmocka_unit_test(freed_pages_are_given_back_by_themselves),
    };
    return cmocka_run_group_tests_name("malloc contract", tests, NULL, NULL);
}
