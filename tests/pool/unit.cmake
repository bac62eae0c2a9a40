# The test programs. CMakeLists.txt reads these lists: each NAME is
# NAME.c, a cmocka program linked with support.c, model.c and the library.
set(BITFIT_UNIT_TESTS
    bits
    pictures
    contract/create
    contract/use
    contract/see
    contract/misuse
    contract/bytes_for
    contract/offsets
    check
    guard
    print
    copy
    exhaust
    offsets
    random
    sizes
    static_pools
    misuse
    threads
    bounded
    carve
)

# Those that also run under ThreadSanitizer.
set(BITFIT_THREAD_TESTS
    threads
)
