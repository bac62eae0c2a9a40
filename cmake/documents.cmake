# The documents go to one folder, as they lie in the source tree. Their links
# still lead somewhere: what is installed elsewhere is linked to there, and a
# link to what is not installed becomes plain text.

set(documents README.md CHANGELOG.md CONTRIBUTING.md LICENSE SECURITY.md)
file(GLOB pages RELATIVE "${PROJECT_SOURCE_DIR}" CONFIGURE_DEPENDS
    "${PROJECT_SOURCE_DIR}/docs/*.md" "${PROJECT_SOURCE_DIR}/docs/*.png"
    "${PROJECT_SOURCE_DIR}/examples/*.md")
list(APPEND documents ${pages})

# Sets `place` to where a path of the source tree is installed, or to nothing.
function(installed_place path place)
    if(path IN_LIST documents OR path MATCHES "^(examples|ports)(/|$)")
        set(found "${CMAKE_INSTALL_FULL_DOCDIR}/${path}")
    elseif(path MATCHES "^(include|bindings/cxx)/(.*)")
        set(found "${CMAKE_INSTALL_FULL_INCLUDEDIR}/${CMAKE_MATCH_2}")
    else()
        set(found "")
    endif()
    set(${place} "${found}" PARENT_SCOPE)
endfunction()

# Writes the page into the build tree, with links as after installing.
function(install_page page)
    get_filename_component(folder "${page}" DIRECTORY)
    file(READ "${PROJECT_SOURCE_DIR}/${page}" text)
    string(REGEX MATCHALL "\\([^][()# :;]+" links "${text}")
    list(TRANSFORM links REPLACE "^\\(" "")
    list(REMOVE_DUPLICATES links)
    foreach(link IN LISTS links)
        get_filename_component(path "${PROJECT_SOURCE_DIR}/${folder}/${link}"
            ABSOLUTE)
        if(NOT EXISTS "${path}")
            continue()
        endif()
        file(RELATIVE_PATH path "${PROJECT_SOURCE_DIR}" "${path}")
        installed_place("${path}" place)
        if(place)
            file(RELATIVE_PATH place
                "${CMAKE_INSTALL_FULL_DOCDIR}/${folder}" "${place}")
            string(REPLACE "](${link}" "](${place}" text "${text}")
        else()
            string(REGEX REPLACE "\\[([^]]*)\\]\\(${link}[^)]*\\)" "\\1"
                text "${text}")
        endif()
    endforeach()
    file(WRITE "${CMAKE_CURRENT_BINARY_DIR}/documents/${page}" "${text}")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
        "${PROJECT_SOURCE_DIR}/${page}")
    install(FILES "${CMAKE_CURRENT_BINARY_DIR}/documents/${page}"
        DESTINATION "${CMAKE_INSTALL_DOCDIR}/${folder}")
endfunction()

install(DIRECTORY examples ports DESTINATION "${CMAKE_INSTALL_DOCDIR}"
    PATTERN "*.md" EXCLUDE)
foreach(page IN LISTS documents)
    if(page MATCHES "[.]md$")
        install_page("${page}")
    else()
        get_filename_component(folder "${page}" DIRECTORY)
        install(FILES "${page}" DESTINATION "${CMAKE_INSTALL_DOCDIR}/${folder}")
    endif()
endforeach()
