/* tests/golden/placement/placement.tsv, row by row: what mpirun does, what PRRTE documents, what is ours. */
#include "place_fixture.h"

#include "base/str.h"

enum { TOPOLOGY, MAP_BY, BIND_TO, CPUS, INSTANCES, EXPECTED, SOURCE, COLUMNS };

static unsigned number(const char *text)
{
        uint32_t n = 0;
        if (strcmp(text, "-") != 0)
                assert_int_equal(parse_u32(text, &n), 0);
        return n;
}

static int ask(char **column, struct placement **ret, struct error *err)
{
        auto_topology struct topology *t = load_machine(column[TOPOLOGY]);
        struct place_wish wish = PLACE_WISH_INIT;

        wish.cpus = number(column[CPUS]);
        wish.instances = number(column[INSTANCES]);
        if (strcmp(column[MAP_BY], "-") != 0 && place_parse_map_by(&wish, column[MAP_BY], err) < 0)
                return -1;
        if (strcmp(column[BIND_TO], "-") != 0 && place_parse_bind_to(&wish, column[BIND_TO], err) < 0)
                return -1;
        return place(t, &wish, ret, err);
}

/* In the words of the table. */
static char *answer(char **column)
{
        auto_placement struct placement *p = NULL;
        struct error err = ERROR_INIT;
        auto_str struct str s = STR_INIT;

        if (ask(column, &p, &err) < 0) {
                assert_string_not_equal(err.text, "");
                str_addf(&s, "refused: %s", err.text);
                return str_take(&s);
        }
        for (size_t i = 0; i < p->n_slots; i++)
                str_addf(&s, "%s%s", i ? " " : "", p->bound ? p->slot[i].cpu_list : "unbound");
        return str_take(&s);
}

static bool agrees(const char *expected, const char *got)
{
        if (!str_starts(expected, "refused"))
                return strcmp(expected, got) == 0;
        const char *words = strchr(expected, ' ');
        return str_starts(got, "refused: ") && strstr(got, words ? words + 1 : "");
}

static void every_row_of_the_table_holds(void **state)
{
        (void) state;
        FILE *table = fopen(GOLDEN "placement.tsv", "re");
        char *line = NULL;
        size_t room = 0;
        unsigned rows = 0, wrong = 0;

        assert_non_null(table);
        while (getline(&line, &room, table) >= 0) {
                char *column[COLUMNS], *rest = line;
                if (*line == '#')
                        continue;
                line[strcspn(line, "\n")] = '\0';
                for (int i = 0; i < COLUMNS; i++) {
                        column[i] = strsep(&rest, "\t");
                        assert_non_null(column[i]);
                }
                auto_free char *got = answer(column);
                rows++;
                if (!agrees(column[EXPECTED], got)) {
                        wrong++;
                        print_error("%s  --map-by %s --bind-to %s -c %s -n %s (%s)\n  expected %s\n  got      %s\n",
                                    column[TOPOLOGY], column[MAP_BY], column[BIND_TO], column[CPUS], column[INSTANCES],
                                    column[SOURCE], column[EXPECTED], got);
                }
        }
        free(line);
        fclose(table);
        assert_true(rows >= 100);
        assert_int_equal(wrong, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_row_of_the_table_holds),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
