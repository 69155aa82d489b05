berth_test(unit/test_state.c        LABELS unit USES runtime)
berth_test(unit/test_exec_process.c LABELS unit USES runtime)
berth_test(unit/test_options.c      LABELS unit USES cli)
