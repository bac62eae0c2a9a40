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
