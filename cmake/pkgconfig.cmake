# What pkg-config reads. A file tells the prefix by where it lies itself: it is
# right after `cmake --install --prefix`, and in a tree that was moved.

set(pc_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
    set(pc_prefix "${CMAKE_INSTALL_PREFIX}")
else()
    file(RELATIVE_PATH pc_prefix "/${pc_dir}" "/")
    string(REGEX REPLACE "/$" "" pc_prefix "\${pcfiledir}/${pc_prefix}")
endif()

# Sets `variable` to a folder of the prefix, or to one that stands apart.
function(pc_folder variable folder)
    if(NOT IS_ABSOLUTE "${folder}")
        set(folder "\${prefix}/${folder}")
    endif()
    set(${variable} "${folder}" PARENT_SCOPE)
endfunction()

pc_folder(pc_includedir "${CMAKE_INSTALL_INCLUDEDIR}")
pc_folder(pc_libdir "${CMAKE_INSTALL_LIBDIR}")

# Some C libraries have the threads in them; to say so does no harm there.
set(pc_threads "${CMAKE_THREAD_LIBS_INIT}")
if(CMAKE_USE_PTHREADS_INIT)
    set(pc_threads -pthread)
endif()

get_target_property(name bitfit_static OUTPUT_NAME)
if(NOT name)
    set(name bitfit_static)
endif()
set(pc_static
    "${CMAKE_STATIC_LIBRARY_PREFIX}${name}${CMAKE_STATIC_LIBRARY_SUFFIX}")

set(pc_templates cmake/bitfit.pc.in cmake/bitfit-static.pc.in)
if(TARGET bitfit_malloc)
    list(APPEND pc_templates malloc/bitfit-malloc.pc.in)
endif()
foreach(template IN LISTS pc_templates)
    get_filename_component(file "${template}" NAME_WLE)
    configure_file("${template}" "${file}" @ONLY)
    install(FILES "${CMAKE_CURRENT_BINARY_DIR}/${file}"
        DESTINATION "${pc_dir}")
endforeach()
