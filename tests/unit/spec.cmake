# src/spec: config.json. test_spec_template compares trees, so it needs json-c too.
berth_test(unit/test_spec_read.c     LABELS unit USES spec)
berth_test(unit/test_spec_bad.c      LABELS unit USES spec)
berth_test(unit/test_spec_mounts.c   LABELS unit USES spec)
berth_test(unit/test_spec_validate.c LABELS unit USES spec)
berth_test(unit/test_spec_hostile.c  LABELS unit USES spec)
berth_test(unit/test_spec_template.c LABELS unit USES spec)
target_link_libraries(test_spec_template PRIVATE PkgConfig::JSONC)
berth_test(unit/test_cdi.c           LABELS unit USES spec)
