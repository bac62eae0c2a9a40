# usage: cmake -DDEMO=program -P check_demo.cmake
# Runs the demo on few readings, in UTF-8 and in ASCII, and checks its exit code
# and its key lines; then that bad arguments are refused.

function(expect_lines output)
    foreach(line IN LISTS ARGN)
        if(NOT output MATCHES "${line}")
            message(SEND_ERROR "no line matches: ${line}\n${output}")
        endif()
    endforeach()
endfunction()

set(key_lines
    "bitfit [0-9.]+, SQLite [0-9.]+: 3,000 readings"
    "largest request that would succeed now +[0-9,]+ bytes"
    "first 64 granules, a letter for each block\n +[A-Z.]+\n"
    "the high-water mark +[0-9,]+ +[0-9,]+ +0 +done\n"
    "one granule less +[0-9,]+ +[0-9,]+ +[1-9][0-9]* +out of memory\n"
    "ok +malloc's answers: [0-9,]+ rows"
    "ok +the map.s cells add up to the live bytes\n"
    "ok +one granule less: a request fails, SQLite reports it\n"
    "ok +no leak, no damage, no wrong answer in any pool\n")

foreach(locale IN ITEMS C.UTF-8 C)
    execute_process(
        COMMAND "${CMAKE_COMMAND}" -E env LC_ALL=${locale} "${DEMO}" 3000
        RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE errors)
    if(NOT status EQUAL 0 OR NOT errors STREQUAL "" OR output MATCHES "FAILED")
        message(FATAL_ERROR "${locale}: exit ${status}\n${errors}${output}")
    endif()
    expect_lines("${output}" ${key_lines})
    if(locale STREQUAL "C" AND NOT output MATCHES "'#' in blocks")
        message(SEND_ERROR "the map is not in ASCII:\n${output}")
    endif()
endforeach()

foreach(argument IN ITEMS "" x 3000x 99 200001 -5 99999999999999999999)
    execute_process(COMMAND "${DEMO}" "${argument}"
        RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE errors)
    if(NOT status EQUAL 2 OR NOT errors MATCHES "usage: ")
        message(SEND_ERROR "'${argument}': exit ${status}\n${output}${errors}")
    endif()
endforeach()
