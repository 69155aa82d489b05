berth_test(unit/test_plan.c    LABELS unit golden USES plan)
berth_test(unit/test_enosys.c  LABELS unit USES plan)
berth_test(unit/test_session.c LABELS root        USES runtime)
