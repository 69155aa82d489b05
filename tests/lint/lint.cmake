# Rules of the house that a person should not have to look after. Each has a mutation in
# tests/mutations.sh that breaks it: a guard that never fails is no guard.

# Every header on its own, twice: it includes what it needs, and guards itself.
get_property(names GLOBAL PROPERTY FLOOR_NAMES)
get_property(dirs GLOBAL PROPERTY FLOOR_DIRS)
foreach(name dir IN ZIP_LISTS names dirs)
        file(GLOB headers RELATIVE "${dir}/.." CONFIGURE_DEPENDS "${dir}/*.h")
        set(stubs "")
        foreach(header IN LISTS headers)
                string(MAKE_C_IDENTIFIER "${header}" id)
                set(stub "${CMAKE_CURRENT_BINARY_DIR}/headers/${id}.c")
                file(CONFIGURE OUTPUT "${stub}" CONTENT
                        "#include \"${header}\"\n#include \"${header}\"\nextern int ${id};\nint ${id};\n")
                list(APPEND stubs "${stub}")
        endforeach()
        if(stubs)
                add_library(headers_${name} OBJECT ${stubs})
                target_link_libraries(headers_${name} PRIVATE flags ${name})
                # a header may need the types of the library that its module wraps
                get_target_property(libs ${name} LINK_LIBRARIES)
                if(libs)
                        target_link_libraries(headers_${name} PRIVATE ${libs})
                endif()
        endif()
endforeach()

function(lint name)
        add_test(NAME lint.${name} COMMAND ${ARGN})
        set_tests_properties(lint.${name} PROPERTIES LABELS lint SKIP_RETURN_CODE 77 TIMEOUT 600)
endfunction()

set(here "${CMAKE_CURRENT_LIST_DIR}")
find_program(NM nm REQUIRED)
lint(child_symbols "${here}/child_symbols.sh" "${NM}" "${here}/child_symbols.allow"
        $<TARGET_FILE:child> $<TARGET_FILE:syscall> $<TARGET_FILE:plan>)
lint(sizes "${here}/sizes.sh" "${PROJECT_SOURCE_DIR}")
lint(words "${here}/words.sh" "${PROJECT_SOURCE_DIR}" "${CMAKE_C_COMPILER}")
lint(shell "${here}/shell.sh" "${PROJECT_SOURCE_DIR}")
lint(framework "${here}/framework.sh" "${PROJECT_SOURCE_DIR}")
lint(conformance "${here}/conformance.sh" "${PROJECT_SOURCE_DIR}")
# The analysers read the whole tree; once, in one build, is enough.
string(FIND "${CMAKE_C_FLAGS}" "-fsanitize" sanitized)
if(sanitized EQUAL -1)
        lint(clang_tidy "${here}/clang_tidy.sh" "${PROJECT_SOURCE_DIR}" "${PROJECT_BINARY_DIR}")
        lint(cppcheck "${here}/cppcheck.sh" "${PROJECT_SOURCE_DIR}" "${PROJECT_BINARY_DIR}")
endif()
