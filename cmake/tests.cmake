# What the rooms need to register tests.

# Says that `what` is left out for want of `tool`: an error where every test
# has to run, since a test never passes by being skipped.
function(bitfit_missing what tool)
    if(BITFIT_REQUIRE_ALL)
        message(FATAL_ERROR "${tool} is missing: ${what} cannot be built")
    endif()
    message(STATUS "bitfit: without ${tool} there is no ${what}")
endfunction()

# As add_test(NAME name COMMAND ...), with the tree's prefix before the name.
# Properties such as LABELS are set on ${BITFIT_TEST_PREFIX}name.
function(bitfit_test name)
    add_test(NAME "${BITFIT_TEST_PREFIX}${name}" COMMAND ${ARGN})
    set_tests_properties("${BITFIT_TEST_PREFIX}${name}" PROPERTIES TIMEOUT 300)
endfunction()

# libFuzzer is clang's; the trees with it are asan, and fuzz, which is faster.
if(CMAKE_C_COMPILER_ID MATCHES "Clang" AND BITFIT_SANITIZE MATCHES "address|fuzzer")
    set(BITFIT_FUZZERS ON)
    add_custom_target(fuzzers)
    # How deep the stack is depends on where it begins.
    set(bitfit_fuzzed
        -fsanitize=fuzzer-no-link -fno-sanitize-coverage=stack-depth)
    # Following each comparison takes half of the time: asan does it for both.
    if(NOT BITFIT_SANITIZE MATCHES "address")
        list(APPEND bitfit_fuzzed -fno-sanitize-coverage=trace-cmp)
    endif()
endif()

# A fuzzer of these sources. Its test is the same each time: the inputs that are
# kept in tests/corpora, and more that are made of them, `runs` in all. New ones
# are looked for by scripts/fuzz.
function(bitfit_fuzzer target test runs)
    add_executable(${target} ${target}.c ${ARGN})
    target_compile_options(${target} PRIVATE ${bitfit_fuzzed})
    # At the same addresses each time, since placement may depend on them.
    target_link_options(${target} PRIVATE -fsanitize=fuzzer -no-pie)
    bitfit_flags(${target})
    add_dependencies(fuzzers ${target})

    file(GLOB kept CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/corpora/${target}/*")
    list(JOIN kept "," kept)
    set(list "${CMAKE_CURRENT_BINARY_DIR}/${target}.inputs")
    file(WRITE "${list}" "${kept}")
    bitfit_test(${test} ${target} -seed=1 -runs=${runs} "-seed_inputs=@${list}"
        -use_cmp=0 -print_final_stats=1
        "-artifact_prefix=${CMAKE_CURRENT_BINARY_DIR}/")
endfunction()
