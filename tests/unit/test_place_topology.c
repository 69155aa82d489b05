#include "place_fixture.h"

#include <errno.h>
#include <sched.h>

static void expect(const char *name, unsigned cores, unsigned pus)
{
        auto_topology struct topology *t = load_machine(name);
        assert_int_equal(topology_cores(t), cores);
        assert_int_equal(topology_pus(t), pus);
}

static void machines_of_every_shape_load(void **state)
{
        (void) state;
        expect("package:2 numa:1 l3:2 l2:2 core:2 pu:2", 16, 32);
        expect("pu:4", 4, 4);
        expect("numa:1 core:1 pu:1", 1, 1);
        expect("uneven.xml", 6, 6);
        expect("partial.xml", 6, 10);
        expect("cpuless-numa.xml", 2, 2);
        expect("disallowed.xml", 2, 2);
        expect("package:4 core:64 pu:4", 256, 1024);
}

static void refused(int code, const char *words)
{
        struct topology *t = NULL;
        struct error err = ERROR_INIT;

        assert_int_equal(topology_load(&t, &err), code);
        assert_null(t);
        if (!strstr(err.text, words))
                fail_msg("\"%s\" does not say \"%s\"", err.text, words);
}

static void a_machine_that_cannot_be_had_is_an_error(void **state)
{
        (void) state;
        unsetenv("HWLOC_XMLFILE");
        setenv("HWLOC_SYNTHETIC", "package:two", 1);
        refused(-EINVAL, "HWLOC_SYNTHETIC=\"package:two\" is not a topology hwloc understands");
        setenv("HWLOC_XMLFILE", GOLDEN "uneven.xml", 1);
        refused(-EINVAL, "HWLOC_SYNTHETIC and HWLOC_XMLFILE are both set");
        unsetenv("HWLOC_SYNTHETIC");
        setenv("HWLOC_XMLFILE", "/nonexistent.xml", 1);
        refused(-EINVAL, "HWLOC_XMLFILE=\"/nonexistent.xml\" cannot be read");
        unsetenv("HWLOC_XMLFILE");
        setenv("HWLOC_SYNTHETIC", "package:8 core:520 pu:1", 1);
        refused(-ERANGE, "this machine has a CPU 4096; berth counts them up to 4095");
}

static struct topology *load_real(void)
{
        struct topology *t = NULL;
        struct error err = ERROR_INIT;

        unsetenv("HWLOC_SYNTHETIC");
        setenv("HWLOC_XMLFILE", "", 1);         /* as good as not set */
        if (topology_load(&t, &err) < 0)
                fail_msg("%s", err.text);
        assert_true(topology_is_real(t));
        return t;
}

static void this_machine_ends_at_our_affinity(void **state)
{
        (void) state;
        cpu_set_t before, one;
        unsigned last = 0;

        assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
        for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++)
                if (CPU_ISSET(cpu, &before))
                        last = cpu;
        {
                auto_topology struct topology *t = load_real();
                assert_int_equal(topology_pus(t), CPU_COUNT(&before));
        }

        CPU_ZERO(&one);
        CPU_SET(last, &one);
        assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
        {
                auto_topology struct topology *t = load_real();
                struct place_wish wish = PLACE_WISH_INIT;
                struct error err = ERROR_INIT;
                auto_placement struct placement *p = NULL;

                assert_int_equal(topology_pus(t), 1);
                wish.instances = 3;
                assert_int_equal(place(t, &wish, &p, &err), 0);
                assert_int_equal(p->n_slots, 1);
                assert_true(bind_has(&p->slot[0].cpus, last));
                assert_int_equal(bind_count(&p->slot[0].cpus), 1);
        }
        cpu_set_t now;
        assert_int_equal(sched_getaffinity(0, sizeof(now), &now), 0);
        assert_true(CPU_EQUAL(&now, &one));     /* loading left our affinity alone */
        assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(machines_of_every_shape_load),
                cmocka_unit_test(a_machine_that_cannot_be_had_is_an_error),
                cmocka_unit_test(this_machine_ends_at_our_affinity),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
