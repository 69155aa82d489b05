/* Devices for slots (hpc/deal.h), on synthetic machines and one with PCI devices. */
#include <errno.h>
#include <glob.h>

#include "hpc/deal.h"
#include "place_fixture.h"

#define MAX 16

static struct place_mask mask(const char *list)
{
        struct place_mask m = PLACE_MASK_INIT;
        struct error err = ERROR_INIT;
        if (bind_parse(list, &m, &err) < 0)
                fail_msg("%s", err.text);
        return m;
}

/* "0,1 2,3": what the slots get, from lists of CPUs with blanks between. */
static void dealt_is(const char *machine, const char *slots, const char *devices, size_t each, const char *want)
{
        auto_topology struct topology *t = load_machine(machine);
        struct place_mask list[2][MAX];
        size_t n[2] = { 0 };
        const char *const texts[] = { slots, devices };
        for (int k = 0; k < 2; k++)
                for (const char *p = texts[k]; *p; p += strspn(p, " ")) {
                        char one[64];
                        size_t len = strcspn(p, " ");
                        snprintf(one, sizeof(one), "%.*s", (int) len, p);
                        list[k][n[k]++] = mask(strcmp(one, "-") == 0 ? "" : one);
                        p += len;
                }
        const struct deal d = { list[0], n[0], list[1], n[1], each };
        unsigned ret[MAX];
        char got[256] = "";
        if (deal_devices(t, &d, ret) == -ENOSPC)
                snprintf(got, sizeof(got), "too few");
        else
                for (size_t i = 0; i < n[0] * each; i++)
                        snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%u", i == 0 ? "" : i % each == 0 ? " " : ",",
                                 ret[i]);
        if (strcmp(got, want) != 0)
                fail_msg("%s: slots %s, devices %s, %zu each: got %s, not %s", machine, slots, devices, each, got, want);
}

static void the_nearest_are_dealt(void **state)
{
        (void) state;
        static const char two[] = "package:2 core:4 pu:1";
        /* of each package its own, whatever the order */
        dealt_is(two, "0-3 4-7", "0-3 4-7", 1, "0 1");
        dealt_is(two, "0-3 4-7", "4-7 0-3", 1, "1 0");
        dealt_is(two, "0 1 4 5", "4-7 4-7 0-3 0-3", 1, "2 3 0 1");
        dealt_is(two, "0-3 4-7", "0-3 4-7 0-3 4-7", 2, "0,2 1,3");
        /* who has none beside takes one from afar, and not the one that is beside another */
        dealt_is(two, "0 1 4", "0-3 4-7 4-7", 1, "0 2 1");
        dealt_is(two, "4 0 1", "4-7 0-3 4-7", 1, "0 1 2");
        /* the smallest object that both share */
        dealt_is("package:1 l3:2 core:2 pu:1", "2 0", "0-1 2-3", 1, "1 0");
        dealt_is("package:2 numa:2 core:2 pu:2", "6-7 0-1", "0-7 4-7 8-15", 1, "1 0");
        /* not bound, or nobody knows where it is: in order */
        dealt_is(two, "- -", "4-7 0-3", 1, "0 1");
        dealt_is(two, "0 4", "- -", 1, "0 1");
        dealt_is(two, "4", "- 4-7", 1, "1");
        dealt_is(two, "4 5", "- 4-7", 1, "1 0");
        dealt_is(two, "0 1", "0-3 0-3 0-3", 2, "too few");
        dealt_is(two, "0", "", 1, "too few");
}

static struct topology *load_recorded(void)
{
        struct topology *t = NULL;
        struct error err = ERROR_INIT;
        unsetenv("HWLOC_SYNTHETIC");
        setenv("HWLOC_XMLFILE", GOLDEN "devices.xml", 1);
        if (topology_load_devices(&t, &err) < 0)
                fail_msg("%s", err.text);
        return t;
}

static void near(const struct topology *t, const char *address, const char *want)
{
        struct place_mask m;
        assert_true(topology_near_pci(t, address, &m));
        auto_free char *got = bind_format(&m);
        assert_string_equal(got, want);
}

static void pci_devices_are_found(void **state)
{
        (void) state;
        auto_topology struct topology *t = load_recorded();
        near(t, "0000:03:00.0", "0-3");
        near(t, "0000:04:00.0", "0-3");
        near(t, "0000:83:00.0", "4-7");
        near(t, "0000:f0:00.0", "0-7");
        struct place_mask m = mask("9");
        assert_false(topology_near_pci(t, "0000:05:00.0", &m));
        assert_false(topology_near_pci(t, "", &m));
        assert_true(bind_has(&m, 9));
        /* who has not asked for devices has not got them */
        auto_topology struct topology *without = load_machine("devices.xml");
        assert_false(topology_near_pci(without, "0000:03:00.0", &m));
}

/* The kernel's own list, without any library for it. */
static void this_machines_devices_are_found(void **state)
{
        (void) state;
        auto_topology struct topology *t = NULL;
        struct error err = ERROR_INIT;
        glob_t found = { 0 };
        unsetenv("HWLOC_SYNTHETIC");
        unsetenv("HWLOC_XMLFILE");
        if (glob("/sys/bus/pci/devices/*", 0, NULL, &found) != 0) {
                globfree(&found);
                skip();
        }
        if (topology_load_devices(&t, &err) < 0)
                fail_msg("%s", err.text);
        size_t n = 0, wanted = 0;
        for (size_t i = 0; i < found.gl_pathc; i++) {
                struct place_mask m;
                char class[5] = "", path[300];
                snprintf(path, sizeof(path), "%s/class", found.gl_pathv[i]);
                FILE *f = fopen(path, "re");
                /* storage, network, display: hwloc keeps these */
                bool kept = f && fgets(class, sizeof(class), f) && class[3] >= '1' && class[3] <= '3' && class[2] == '0';
                if (f)
                        (void) fclose(f);
                wanted += kept;
                n += kept && topology_near_pci(t, strrchr(found.gl_pathv[i], '/') + 1, &m) && !bind_empty(&m);
        }
        globfree(&found);
        if (wanted == 0)
                skip();
        assert_int_equal(n, wanted);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_nearest_are_dealt),
                cmocka_unit_test(pci_devices_are_found),
                cmocka_unit_test(this_machines_devices_are_found),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
