# usage: cmake -DOUT=FILE -DFILES=NAME=PATH;... -P embed.cmake
# Writes a C file with the content of each file as `const char report_NAME[]`,
# ended by a zero byte.
set(text "/* Made by embed.cmake. */\n#include \"report/page.h\"\n")
foreach(item IN LISTS FILES)
    string(REGEX MATCH "^([a-z_]+)=(.*)$" all "${item}")
    set(name "${CMAKE_MATCH_1}")
    file(READ "${CMAKE_MATCH_2}" bytes HEX)
    string(REGEX REPLACE "(................................)" "\\1\n" bytes
        "${bytes}")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
    string(APPEND text "\nconst char report_${name}[] = {\n${bytes}0};\n")
endforeach()
file(WRITE "${OUT}" "${text}")
