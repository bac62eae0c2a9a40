# Stands in for Zephyr: the part of its build that bitfit relies on, with the
# meaning that Zephyr's manual gives it, on the machine that builds it.
# STAND_IN_MODULE is the module's folder with its CMakeLists.txt, and
# STAND_IN_CONFIG has the lines of a .config and autoconf.h beside it.
project(stand_in LANGUAGES C)
set(here "${CMAKE_CURRENT_LIST_DIR}")
file(STRINGS "${STAND_IN_CONFIG}/.config" lines REGEX "^CONFIG_[A-Z0-9_]+=")
foreach(line IN LISTS lines)
    string(REGEX MATCH "^([^=]+)=\"?([^\"]*)\"?$" line "${line}")
    set(${CMAKE_MATCH_1} "${CMAKE_MATCH_2}")
endforeach()

add_library(zephyr_interface INTERFACE)
target_include_directories(zephyr_interface INTERFACE "${here}")
target_compile_options(zephyr_interface INTERFACE -Wall -Wextra -Werror
    -imacros "${STAND_IN_CONFIG}/autoconf.h")

set(module_kind OBJECT)
include("${here}/module.cmake")

add_library(app OBJECT "${here}/kernel.c")
target_link_libraries(app PUBLIC zephyr_interface)
add_subdirectory("${STAND_IN_MODULE}" "${CMAKE_BINARY_DIR}/module")
add_executable(zephyr_exe)
target_link_libraries(zephyr_exe PRIVATE app zephyr_module)
