#include "spec_help.h"

#include "spec/edit.h"
#include "spec/place_words.h"

static struct spec *config(const char *text)
{
        return read_good_with(spec_read_text, text);
}

static void annotation_has_the_words(void **state)
{
        (void) state;
        auto_spec struct spec *spec = config(CONFIG(",'annotations':{'io.berth.placement':' cpus=0-3,8  bind=core:PE=2 mem-bind=local'}"));
        struct place_words w = { .bind = "numa" };
        struct error err = ERROR_INIT;
        assert_int_equal(place_words_add(&w, spec, &err), 0);
        assert_string_equal(w.cpus, "0-3,8");
        assert_string_equal(w.bind, "numa");    /* the command line's */
        assert_string_equal(w.mem_bind, "local");
        assert_null(w.numa);
}

static void bad_annotation(const char *text, const char *why)
{
        auto_spec struct spec *spec = config(text);
        struct place_words w = { 0 };
        struct error err = ERROR_INIT;
        assert_int_equal(place_words_add(&w, spec, &err), -EINVAL);
        assert_string_equal(err.text, why);
        assert_false(place_words_any(&w));
}

static void a_bad_annotation_is_one_line(void **state)
{
        (void) state;
        bad_annotation(CONFIG(",'annotations':{'io.berth.placement':'core'}"), "annotation \"io.berth.placement\": \"core\" is none "
                       "of cpus=LIST, numa=LIST, bind=WORDS, mem-bind=WORDS");
        bad_annotation(CONFIG(",'annotations':{'io.berth.placement':'cpu=1'}"), "annotation \"io.berth.placement\": \"cpu=1\" is none "
                       "of cpus=LIST, numa=LIST, bind=WORDS, mem-bind=WORDS");
        bad_annotation(CONFIG(",'annotations':{'io.berth.placement':'numa= cpus=1'}"), "annotation \"io.berth.placement\": numa= is empty");
        bad_annotation(CONFIG(",'annotations':{'io.berth.placement':'cpus=1 cpus=1'}"), "annotation \"io.berth.placement\": cpus= is there "
                       "twice");
        bad_annotation(CONFIG(",'annotations':{'io.berth.placed':'cpus=1'}"), "annotation \"io.berth.placed\" is ours to write: "
                       "\"io.berth.placement\" is for those who ask");
}

/* What the config says in another case of letters is replaced, not joined. */
static void place_becomes_part_of_the_config(void **state)
{
        (void) state;
        auto_free char *text = quotes(RESOURCES("'cpu':{'CPUs':'0-7','shares':5}"));
        auto_free char *edited = NULL;
        auto_spec struct spec *before = NULL, *after = NULL;
        struct error err = ERROR_INIT;
        const struct edit_place place = { .cpus = "4-5", .mems = "1", .mode = "MPOL_BIND", .nodes = "1", .given = "cpus=4-5 memory=bind:1" };
        const struct edits edits = { .place = &place };
        assert_false(edits_empty(&edits));
        assert_int_equal(spec_read_text(text, strlen(text), "x", &before, &err), 0);
        assert_int_equal(edit_config(before, text, strlen(text), &edits, &edited, &err), 0);
        assert_int_equal(spec_read_text(edited, strlen(edited), "x", &after, &err), 0);
        assert_string_equal(after->resources.cpu.cpus, "4-5");
        assert_string_equal(after->resources.cpu.mems, "1");
        assert_null(strstr(edited, "0-7"));
        assert_int_equal(after->resources.cpu.shares.value, 5);
        assert_int_equal(after->memory_policy.mode, SPEC_MPOL_BIND);
        assert_int_equal(after->memory_policy.nodes.words[0], 2);
        const char *given = spec_annotation(after->annotations, after->n_annotations, PLACE_GIVEN);
        assert_string_equal(given, "cpus=4-5 memory=bind:1");
        assert_string_equal(place_word(after->arena, given, "cpus"), "4-5");
        assert_null(place_word(after->arena, given, "mem"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(annotation_has_the_words),
                cmocka_unit_test(a_bad_annotation_is_one_line),
                cmocka_unit_test(place_becomes_part_of_the_config),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
