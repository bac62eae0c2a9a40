# How Zephyr's build adds a module, as a library of the kind `module_kind`.
# zephyr_interface is there already.
function(zephyr_include_directories)
    target_include_directories(zephyr_interface INTERFACE ${ARGN})
endfunction()

function(zephyr_library)
    add_library(zephyr_module ${module_kind})
    target_link_libraries(zephyr_module PUBLIC zephyr_interface)
endfunction()

function(zephyr_library_sources)
    target_sources(zephyr_module PRIVATE ${ARGN})
endfunction()

function(zephyr_library_compile_definitions)
    target_compile_definitions(zephyr_module PRIVATE ${ARGN})
endfunction()
