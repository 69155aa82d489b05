#include "place_fixture.h"

#include "hpc/draw.h"

static struct occupant on(const char *name, const char *cpus)
{
        struct occupant o = { .name = strdup(name) };
        struct error err = ERROR_INIT;
        assert_int_equal(bind_parse(cpus, &o.cpus, &err), 0);
        return o;
}

static void a_machine_and_who_runs_where(void **state)
{
        (void) state;
        auto_topology struct topology *t = load_machine("package:2 numa:1 core:2 pu:2");
        struct occupant who[] = { on("web", "0-7"), on("job.0", "2-3"), on("job.1", "3,4") };
        auto_free char *text = draw_text(t, who, 3);
        assert_string_equal(text, "2 packages, 2 NUMA nodes, 4 cores, 8 CPUs\n"
                            "package[0]\n  numa[0]\n    core[0] cpus 0-1\n    core[1] cpus 2-3: job.0, job.1\n"
                            "package[1]\n  numa[1]\n    core[2] cpus 4-5: job.1\n    core[3] cpus 6-7\n"
                            "anywhere: web\n");
        auto_free char *svg = draw_svg(t, who, 3);
        assert_non_null(strstr(svg, ">job.0 +1</text>"));
        assert_non_null(strstr(svg, ">NUMANode L#1</text>"));
        assert_non_null(strstr(svg, "anywhere: web"));
        assert_string_equal(svg + strlen(svg) - 7, "</svg>\n");
        for (size_t i = 0; i < 3; i++)
                free(who[i].name);
}

static void machines_without_cores_or_packages(void **state)
{
        (void) state;
        static const char *const machines[] = { "pu:2", "core:4 pu:1", "uneven.xml", "partial.xml", "cpuless-numa.xml",
                                                "package:4 core:64 pu:4" };
        for (size_t i = 0; i < sizeof(machines) / sizeof(*machines); i++) {
                auto_topology struct topology *t = load_machine(machines[i]);
                auto_free char *text = draw_text(t, NULL, 0);
                auto_free char *svg = draw_svg(t, NULL, 0);
                assert_non_null(text);
                assert_non_null(strstr(svg, "</svg>"));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_machine_and_who_runs_where),
                cmocka_unit_test(machines_without_cores_or_packages),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
