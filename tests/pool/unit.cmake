# The test programs. CMakeLists.txt reads these lists: each NAME is
# NAME.c, a cmocka program linked with support.c, model.c and the library.
set(BITFIT_UNIT_TESTS
    bits
    pictures
    contract
    check
    copy
    exhaust
    random
    sizes
    misuse
    threads
    bounded
    carve
)

# Those that also run under ThreadSanitizer.
set(BITFIT_THREAD_TESTS
    threads
)

# One program for each crime: misuse/NAME.c, plain C without cmocka, run
# by the test `misuse`, which finds them in the folder BITFIT_MISUSE_DIR: a
# definition, or a variable of the environment.
set(BITFIT_MISUSE_PROGRAMS
    aligned_sized_free_right
    aligned_sized_free_wrong
    calloc_overflow
    double_free_delayed
    double_free_large
    double_free_merged
    double_free_sized
    double_free_small
    double_free_through_realloc
    foreign_free_malloc
    foreign_free_other_pool
    foreign_free_spirit
    foreign_free_stack
    free_after_reset
    free_bookkeeping
    free_null_twice
    free_of_ended_pool
    free_of_moved
    free_past_end
    impossibly_large
    interior_free_large
    interior_free_small
    misaligned_free
    overflow_by_1
    overflow_by_8
    overflow_string
    read_after_free
    read_after_free_reused
    realloc_foreign
    realloc_interior
    realloc_misaligned
    reentry_aligned_alloc
    reentry_alloc
    reentry_check
    reentry_free
    reentry_reset
    reentry_under_lock
    reentry_unlocked_pool
    sized_free_large_wrong
    sized_free_right
    sized_free_small_wrong
    sized_free_wild
    stale_free_of_reused
    uninitialised_free
    uninitialised_realloc
    uninitialised_usable_size
    usable_size_freed
    usable_size_interior
    write_after_free
    write_after_free_reused
    zero_size_distinct
    zero_size_write
)
