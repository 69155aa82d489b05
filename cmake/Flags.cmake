# Flags for every target of the project, as a target: link it, done.
# Nothing here touches CMAKE_C_FLAGS; a packager's flags stay in charge.

option(BERTH_WERROR "Treat warnings as errors" ON)

add_library(flags INTERFACE)
target_compile_features(flags INTERFACE c_std_17)
target_compile_definitions(flags INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64
        $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
target_compile_options(flags INTERFACE
        -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
        -Wold-style-definition -Wvla -Wundef -Wwrite-strings -Wimplicit-fallthrough
        -Wformat=2 -Wpointer-arith -Wcast-qual -fstack-protector-strong
        $<$<C_COMPILER_ID:GNU>:-Wlogical-op -Wduplicated-cond -Wduplicated-branches>
        $<$<BOOL:${BERTH_WERROR}>:-Werror>)
target_link_options(flags INTERFACE -Wl,-z,relro,-z,now -Wl,--as-needed)
