# What every target of this project is compiled with. None of it reaches those
# who use the library.

set(bitfit_warnings
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
    -Wundef -Wcast-align -Wcast-qual -Wvla)
set(bitfit_c_warnings -Wstrict-prototypes -Wmissing-prototypes)

set(bitfit_definitions
    $<$<BOOL:${BITFIT_NO_SIMD}>:BITFIT_NO_SIMD>
    $<$<BOOL:${BITFIT_EXPECT}>:BITFIT_EXPECT>
    $<$<BOOL:${BITFIT_NO_INDEX}>:BITFIT_NO_INDEX>
    $<$<BOOL:${BITFIT_ASAN}>:BITFIT_ASAN>
    $<$<BOOL:${BITFIT_VALGRIND}>:BITFIT_VALGRIND>)
if(BITFIT_WORD_BITS)
    list(APPEND bitfit_definitions BITFIT_WORD_BITS=${BITFIT_WORD_BITS})
endif()
if(BITFIT_CONFIG_HEADER)
    list(APPEND bitfit_definitions
        "BITFIT_CONFIG_HEADER=\"${BITFIT_CONFIG_HEADER}\"")
endif()

# Without -fno-sanitize-recover the undefined-behaviour sanitizer only talks.
set(bitfit_sanitize "")
if(BITFIT_SANITIZE)
    string(REPLACE ";" "," kinds "${BITFIT_SANITIZE}")
    set(bitfit_sanitize
        -fsanitize=${kinds} -fno-sanitize-recover=all -fno-omit-frame-pointer)
endif()

function(bitfit_flags target)
    target_compile_definitions(${target} PRIVATE ${bitfit_definitions})
    target_compile_options(${target} PRIVATE ${bitfit_sanitize})
    target_link_options(${target} PRIVATE ${bitfit_sanitize})
    if(MSVC)
        target_compile_options(${target} PRIVATE /W4)
    else()
        target_compile_options(${target} PRIVATE
            ${bitfit_warnings}
            $<$<COMPILE_LANGUAGE:C>:${bitfit_c_warnings}>
            $<$<BOOL:${BITFIT_WERROR}>:-Werror>)
    endif()
endfunction()
