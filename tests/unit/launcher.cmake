# The launcher's pure parts; what it does with real instances is in integration/launch*.sh.
foreach(part options jobstate lines request report edit)
        berth_test(unit/test_launch_${part}.c LABELS unit USES launcher)
endforeach()
