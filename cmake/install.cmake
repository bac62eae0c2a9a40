# install, uninstall, and what find_package() and pkg-config read.

include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/bitfit")

# Other rooms add their own targets to the export: malloc/ has bitfit::malloc.
install(TARGETS bitfit bitfit_static EXPORT bitfit-targets
    RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}"
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY include/ DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
include(cmake/documents.cmake)

install(EXPORT bitfit-targets NAMESPACE bitfit:: DESTINATION "${package_dir}")
configure_package_config_file(cmake/bitfit-config.cmake.in bitfit-config.cmake
    INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file(bitfit-config-version.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES
    "${CMAKE_CURRENT_BINARY_DIR}/bitfit-config.cmake"
    "${CMAKE_CURRENT_BINARY_DIR}/bitfit-config-version.cmake"
    DESTINATION "${package_dir}")

include(cmake/pkgconfig.cmake)

# A page of section 3 describes a family of calls: those that it names beside
# its own get a page that leads to it, as man(1) expects.
file(GLOB pages CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/docs/man/*.[1-9]")
foreach(page IN LISTS pages)
    get_filename_component(section "${page}" LAST_EXT)
    string(SUBSTRING "${section}" 1 1 section)
    set(man_dir "${CMAKE_INSTALL_MANDIR}/man${section}")
    install(FILES "${page}" DESTINATION "${man_dir}")
    if(section EQUAL 3)
        get_filename_component(name "${page}" NAME_WLE)
        file(STRINGS "${page}" others REGEX "^\\.Nm bitfit_")
        list(TRANSFORM others REPLACE "^\\.Nm ([a-z_]+).*" "\\1")
        list(REMOVE_ITEM others ${name})
        foreach(other IN LISTS others)
            set(link "${CMAKE_CURRENT_BINARY_DIR}/man/${other}.3")
            file(WRITE "${link}" ".so man3/${name}.3\n")
            install(FILES "${link}" DESTINATION "${man_dir}")
        endforeach()
    endif()
endforeach()

# gdb loads it with either library, by the path that the library has.
if(UNIX AND NOT APPLE)
    set(gdb_dir "${CMAKE_INSTALL_DATADIR}/gdb/auto-load")
    foreach(library IN ITEMS bitfit bitfit-malloc)
        install(FILES tools/gdb/bitfit-gdb.py
            DESTINATION "${gdb_dir}${CMAKE_INSTALL_FULL_LIBDIR}"
            RENAME "lib${library}.so.${PROJECT_VERSION}-gdb.py")
    endforeach()
endif()

configure_file(cmake/uninstall.cmake.in uninstall.cmake @ONLY)
add_custom_target(uninstall
    COMMAND "${CMAKE_COMMAND}" -P "${CMAKE_CURRENT_BINARY_DIR}/uninstall.cmake"
    VERBATIM)
