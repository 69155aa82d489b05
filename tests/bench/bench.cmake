# Run by hand (and by run.sh bench): times depend on the machine, so nothing is asserted.
add_executable(place_bench bench/place_bench.c)
target_link_libraries(place_bench PRIVATE flags hpc)
set_target_properties(place_bench PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
