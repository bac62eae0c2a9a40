# install, uninstall, and what find_package() and pkg-config read.

include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/bitfit")

install(TARGETS bitfit bitfit_static EXPORT bitfit-targets
    RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}"
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(FILES include/bitfit.h DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(FILES README.md LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}" OPTIONAL)

install(EXPORT bitfit-targets NAMESPACE bitfit:: DESTINATION "${package_dir}")
configure_package_config_file(cmake/bitfit-config.cmake.in bitfit-config.cmake
    INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file(bitfit-config-version.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES
    "${CMAKE_CURRENT_BINARY_DIR}/bitfit-config.cmake"
    "${CMAKE_CURRENT_BINARY_DIR}/bitfit-config-version.cmake"
    DESTINATION "${package_dir}")

configure_file(cmake/bitfit.pc.in bitfit.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/bitfit.pc"
    DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

configure_file(cmake/uninstall.cmake.in uninstall.cmake @ONLY)
add_custom_target(uninstall
    COMMAND "${CMAKE_COMMAND}" -P "${CMAKE_CURRENT_BINARY_DIR}/uninstall.cmake"
    VERBATIM)
