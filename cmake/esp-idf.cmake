# bitfit as a component of an ESP-IDF project. Its mutex is the pthread one.
file(GLOB sources "${CMAKE_CURRENT_LIST_DIR}/../src/*.c")
idf_component_register(
    SRCS ${sources}
    INCLUDE_DIRS include bindings/cxx
    PRIV_REQUIRES pthread
    LDFRAGMENTS ports/esp-idf/linker.lf
    KCONFIG ports/esp-idf/Kconfig)
