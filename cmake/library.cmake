# The targets bitfit::bitfit (shared) and bitfit::static, of the same objects.

# That src/*.c and -Iinclude are all it takes is a promise: hence no list.
file(GLOB bitfit_sources CONFIGURE_DEPENDS
    RELATIVE "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/src/*.c")

find_package(Threads)

add_library(bitfit_objects OBJECT ${bitfit_sources})
set_target_properties(bitfit_objects PROPERTIES
    POSITION_INDEPENDENT_CODE ON
    C_VISIBILITY_PRESET hidden)
bitfit_flags(bitfit_objects)

add_library(bitfit SHARED $<TARGET_OBJECTS:bitfit_objects>)
add_library(bitfit_static STATIC $<TARGET_OBJECTS:bitfit_objects>)
add_library(bitfit::bitfit ALIAS bitfit)
add_library(bitfit::static ALIAS bitfit_static)

set_target_properties(bitfit PROPERTIES
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}
    WINDOWS_EXPORT_ALL_SYMBOLS ON)
set_target_properties(bitfit_static PROPERTIES EXPORT_NAME static)
if(NOT MSVC)
    set_target_properties(bitfit_static PROPERTIES OUTPUT_NAME bitfit)
endif()

if(UNIX AND NOT APPLE)
    set(map "${PROJECT_SOURCE_DIR}/cmake/bitfit.map")
    target_link_options(bitfit PRIVATE "LINKER:--version-script=${map}")
    set_target_properties(bitfit PROPERTIES LINK_DEPENDS "${map}")
endif()

foreach(target IN ITEMS bitfit_objects bitfit bitfit_static)
    target_include_directories(${target} PUBLIC
        "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
        "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
    if(BITFIT_SMALL)
        target_compile_definitions(${target} PUBLIC BITFIT_SMALL)
    endif()
    if(Threads_FOUND)
        target_link_libraries(${target} PRIVATE Threads::Threads)
    endif()
endforeach()

# A sanitized library needs the sanitizer in the program, too.
target_link_options(bitfit PRIVATE ${bitfit_sanitize})
target_link_options(bitfit_static INTERFACE
    "$<BUILD_INTERFACE:${bitfit_sanitize}>")
