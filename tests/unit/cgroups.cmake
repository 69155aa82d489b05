berth_test(unit/test_cgroup_probe.c LABELS unit USES cgroups host)
berth_test(unit/test_cgroup_translate.c LABELS unit USES cgroups)
target_link_libraries(test_cgroup_translate PRIVATE m)
berth_test(unit/test_cgroup_devices.c LABELS unit USES cgroups)
berth_test(unit/test_unit.c LABELS unit USES cgroups)
berth_test(unit/test_stats.c LABELS unit USES cgroups)

# Real cgroups, as root: on the machine as it is, then as if it had only v2 or only v1 (in a mount namespace).
foreach(test live limits)
        berth_test(unit/test_cgroup_${test}.c LABELS root USES cgroups)
        foreach(machine v2 v1)
                add_test(NAME root.test_cgroup_${test}_${machine} COMMAND test_cgroup_${test} ${machine})
                set_tests_properties(root.test_cgroup_${test}_${machine} PROPERTIES
                        LABELS root SKIP_RETURN_CODE 77 TIMEOUT 120)
        endforeach()
endforeach()

# What the kernel adds to a directory of resctrl, and takes away with it.
berth_test(unit/test_resctrl.c LABELS unit USES cgroups)
target_link_options(test_resctrl PRIVATE -Wl,--wrap=mkdirat,--wrap=unlinkat,--wrap=io_write_file)
