# ---- placement (hpc/place.h, hpc/topology.h, hpc/bind.h) ----
foreach(what place place_draw place_given place_table place_words place_bind place_topology)
        berth_test(unit/test_${what}.c LABELS unit USES hpc)
endforeach()

# What the golden table says of mpirun, asked again: `ctest -L hpc`. Skipped without Open MPI 4.1.
add_test(NAME hpc.mpirun_placements
        COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/tools/mpirun-placements" --check
                "${CMAKE_CURRENT_SOURCE_DIR}/golden/placement/placement.tsv")
set_tests_properties(hpc.mpirun_placements PROPERTIES LABELS hpc SKIP_RETURN_CODE 77 TIMEOUT 120)

# The same for whole command lines: `berth launch --dry-run` and mpirun, rank by rank. Without mpirun: our half.
foreach(mode check offline)
        add_test(NAME hpc.compare_mpirun_${mode}
                COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/placement/compare-mpirun" --${mode})
        set_tests_properties(hpc.compare_mpirun_${mode} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 400 LABELS hpc
                ENVIRONMENT "BERTH=$<TARGET_FILE:berth>")
endforeach()
set_tests_properties(hpc.compare_mpirun_offline PROPERTIES LABELS "unit;golden")

# What srun did, in a VM (tests/vm/place16 asks it again), and we do.
add_test(NAME hpc.compare_slurm_offline COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/placement/compare-slurm" --offline)
set_tests_properties(hpc.compare_slurm_offline PROPERTIES TIMEOUT 120 LABELS "unit;golden"
        ENVIRONMENT "BERTH=$<TARGET_FILE:berth>")

# ---- devices (hpc/device) ----
berth_test(unit/test_device.c LABELS unit USES device)
berth_test(unit/test_deal.c LABELS unit USES hpc)

# ---- wire-up (hpc/wire.h) ----
berth_test(unit/test_wire_off.c LABELS unit USES hpc)
target_sources(test_wire_off PRIVATE "${PROJECT_SOURCE_DIR}/hpc/wire_off.c")

if(PMIX_FOUND)
        set(mpi_bin "${PROJECT_BINARY_DIR}/tests")
        add_executable(pmix_client mpi/pmix_client.c)
        target_link_libraries(pmix_client PRIVATE flags PkgConfig::PMIX)
        add_executable(wirerun mpi/wirerun.c)
        target_link_libraries(wirerun PRIVATE flags hpc)
        set_target_properties(pmix_client wirerun PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${mpi_bin}")

        berth_test(unit/test_wire.c LABELS unit USES hpc)
        target_link_libraries(test_wire PRIVATE PkgConfig::PMIX)
        target_compile_definitions(test_wire PRIVATE PMIX_CLIENT="$<TARGET_FILE:pmix_client>")
        add_dependencies(test_wire pmix_client)

        # With a real MPI, if there is one: `ctest -L hpc`. The programs are what a user writes, so mpicc builds them.
        find_program(MPICC mpicc)
        if(MPICC)
                set(mpi_programs "")
                foreach(program mpi_hello mpi_end)
                        add_custom_command(OUTPUT "${mpi_bin}/${program}"
                                COMMAND "${MPICC}" -O2 -g -Wall -Wextra -o "${mpi_bin}/${program}"
                                        "${CMAKE_CURRENT_SOURCE_DIR}/mpi/${program}.c"
                                DEPENDS mpi/${program}.c VERBATIM)
                        list(APPEND mpi_programs "${mpi_bin}/${program}")
                endforeach()
                add_custom_target(mpi_programs ALL DEPENDS ${mpi_programs})
                add_test(NAME hpc.wire_mpi COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/mpi/wire_mpi" "${mpi_bin}")
                set_tests_properties(hpc.wire_mpi PROPERTIES LABELS hpc SKIP_RETURN_CODE 77 TIMEOUT 120)
        endif()
endif()
