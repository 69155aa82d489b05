# ---- placement (hpc/place.h, hpc/topology.h, hpc/bind.h) ----
foreach(what place place_table place_words place_bind place_topology)
        berth_test(unit/test_${what}.c LABELS unit USES hpc)
endforeach()

# What the golden table says of mpirun, asked again: `ctest -L hpc`. Skipped without Open MPI 4.1.
add_test(NAME hpc.mpirun_placements
        COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/tools/mpirun-placements" --check
                "${CMAKE_CURRENT_SOURCE_DIR}/golden/placement/placement.tsv")
set_tests_properties(hpc.mpirun_placements PROPERTIES LABELS hpc SKIP_RETURN_CODE 77 TIMEOUT 120)

