/* Mounts: destinations, and what the option words mean. */
#include "spec_help.h"

#include <stdio.h>

#include <linux/mount.h>

#include "spec/mount_options.h"
#include "spec/path_clean.h"
#include "spec/words.h"

struct meaning {
        const char *options;
        struct spec_mount mount;
};

static void assert_same(const char *options, const struct spec_mount *got, const struct spec_mount *want)
{
        bool same = got->bind == want->bind && got->rbind == want->rbind && got->attr_set == want->attr_set &&
                    got->attr_clear == want->attr_clear && got->rec_set == want->rec_set &&
                    got->rec_clear == want->rec_clear && got->propagation == want->propagation &&
                    got->sb_flags == want->sb_flags &&
                    got->attr_named == (want->attr_named || want->attr_set || want->attr_clear) && strcmp(got->data, want->data ? want->data : "") == 0;
        if (!same)
                print_error("%s: attr +%lx -%lx, recursive +%lx -%lx, propagation %lx, fs %lx, data '%s'\n", options,
                            got->attr_set, got->attr_clear, got->rec_set, got->rec_clear, got->propagation,
                            got->sb_flags, got->data);
        assert_true(same);
}

#define ATIME MOUNT_ATTR__ATIME

static void option_words_have_the_meaning_of_mount_8(void **state)
{
        (void) state;
        static const struct meaning list[] = {
                { "", { 0 } },
                { "'defaults'", { 0 } },
                { "'ro','nosuid','nodev','noexec'", { .attr_set = 0xf } },
                { "'ro','rw'", { .attr_clear = MOUNT_ATTR_RDONLY } },
                { "'rw','ro'", { .attr_set = MOUNT_ATTR_RDONLY } },
                { "'suid','dev','exec','symfollow','diratime'",
                  { .attr_clear = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSYMFOLLOW |
                                  MOUNT_ATTR_NODIRATIME } },
                { "'nosymfollow','nodiratime'", { .attr_set = MOUNT_ATTR_NOSYMFOLLOW | MOUNT_ATTR_NODIRATIME } },

                /* The access time is one setting of the kernel's, not several bits. */
                { "'noatime'", { .attr_set = MOUNT_ATTR_NOATIME, .attr_clear = ATIME } },
                { "'strictatime'", { .attr_set = MOUNT_ATTR_STRICTATIME, .attr_clear = ATIME } },
                { "'relatime'", { .attr_clear = ATIME } },
                { "'noatime','strictatime'", { .attr_set = MOUNT_ATTR_STRICTATIME, .attr_clear = ATIME } },
                { "'strictatime','relatime'", { .attr_clear = ATIME } },
                { "'noatime','atime'", { .attr_named = true } },
                { "'norelatime','nostrictatime','atime'", { .attr_named = true } },
                { "'relatime','norelatime'", { .attr_named = true } },
                { "'strictatime','atime'", { .attr_set = MOUNT_ATTR_STRICTATIME, .attr_clear = ATIME } },
                { "'strictatime','nostrictatime'", { .attr_named = true } },
                { "'noatime','norelatime'", { .attr_set = MOUNT_ATTR_NOATIME, .attr_clear = ATIME } },
                { "'noatime','nodiratime'",
                  { .attr_set = MOUNT_ATTR_NOATIME | MOUNT_ATTR_NODIRATIME, .attr_clear = ATIME } },

                { "'rro','rnosuid','rnodev','rnoexec'", { .rec_set = 0xf } },
                { "'rrw','rsuid','rdev','rexec'", { .rec_clear = 0xf } },
                { "'rnoatime'", { .rec_set = MOUNT_ATTR_NOATIME, .rec_clear = ATIME } },
                { "'rnoatime','ratime'", { .rec_clear = ATIME } },
                { "'rnoatime','rstrictatime'", { .rec_set = MOUNT_ATTR_STRICTATIME, .rec_clear = ATIME } },
                { "'rnorelatime'", { 0 } },
                { "'rstrictatime','rnorelatime'", { .rec_set = MOUNT_ATTR_STRICTATIME, .rec_clear = ATIME } },
                { "'rrelatime','rnodiratime','rnosymfollow'",
                  { .rec_set = MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW, .rec_clear = ATIME } },
                { "'rnorelatime','rnostrictatime','rdiratime','rsymfollow'",
                  { .rec_clear = ATIME | MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW } },
                { "'ro','rrw'", { .attr_set = MOUNT_ATTR_RDONLY, .rec_clear = MOUNT_ATTR_RDONLY } },

                { "'sync','dirsync','mand','lazytime','iversion','silent'",
                  { .sb_flags = MS_SYNCHRONOUS | MS_DIRSYNC | MS_MANDLOCK | MS_LAZYTIME | MS_I_VERSION | MS_SILENT } },
                { "'sync','async','mand','nomand','lazytime','nolazytime','iversion','noiversion','silent','loud'",
                  { 0 } },

                { "'rprivate'", { .propagation = MS_PRIVATE | MS_REC } },
                { "'private','rshared'", { .propagation = MS_SHARED | MS_REC } },
                { "'shared'", { .propagation = MS_SHARED } },
                { "'slave'", { .propagation = MS_SLAVE } },
                { "'rslave'", { .propagation = MS_SLAVE | MS_REC } },
                { "'unbindable'", { .propagation = MS_UNBINDABLE } },
                { "'runbindable'", { .propagation = MS_UNBINDABLE | MS_REC } },

                { "'bind'", { .bind = true } },
                { "'rbind','ro'", { .bind = true, .rbind = true, .attr_set = MOUNT_ATTR_RDONLY } },
                { "'bind','remount','ro'", { .bind = true, .attr_set = MOUNT_ATTR_RDONLY } },

                /* What nobody knows belongs to the file system. */
                { "'mode=755','nosuid','size=65536k','acl'",
                  { .attr_set = MOUNT_ATTR_NOSUID, .data = "mode=755,size=65536k,acl" } },
                { "'','x','','a,b'", { .data = "x,a,b" } },
                { "'RO'", { .data = "RO" } },
        };
        for (size_t i = 0; i < COUNT_OF(list); i++) {
                char json[600];
                snprintf(json, sizeof(json), MOUNT("'destination':'/a','type':'tmpfs','source':'s','options':[%s]"),
                         list[i].options);
                auto_spec struct spec *spec = read_good(json);
                assert_int_equal(spec->n_mounts, 1);
                assert_same(list[i].options, &spec->mounts[0], &list[i].mount);
        }
}

static void a_mount_is_read(void **state)
{
        (void) state;
        auto_spec struct spec *s = read_good(MOUNT("'destination':'/proc','type':'proc','source':''"));
        assert_string_equal(s->mounts[0].destination, "/proc");
        assert_string_equal(s->mounts[0].type, "proc");
        assert_null(s->mounts[0].source);
        assert_string_equal(s->mounts[0].data, "");
        assert_false(s->mounts[0].bind);
}

static void the_type_bind_is_a_bind_mount_too(void **state)
{
        (void) state;
        auto_spec struct spec *type = read_good(MOUNT("'destination':'/a','type':'bind','source':'/b'"));
        assert_true(type->mounts[0].bind && !type->mounts[0].rbind);
        auto_spec struct spec *both = read_good(
                MOUNT("'options':['rbind','remount'],'destination':'/a','type':'bind','source':'/b'"));
        assert_true(both->mounts[0].bind && both->mounts[0].rbind);
        auto_spec struct spec *none = read_good(
                MOUNT("'destination':'/a','type':'none','source':'b','options':['bind']"));
        assert_true(none->mounts[0].bind);
        auto_spec struct spec *untyped = read_good(MOUNT("'destination':'/a','source':'/b','options':['rbind']"));
        assert_true(untyped->mounts[0].rbind);
        assert_null(untyped->mounts[0].type);
}

static void an_idmap_option_brings_its_maps(void **state)
{
        (void) state;
        auto_spec struct spec *s = read_good(MOUNT("'destination':'/a','source':'/b',"
                                                   "'options':['rbind','ridmap=uids=0-1000-10#10-2000-5;gids=5-6-7']"));
        const struct spec_mount *m = &s->mounts[0];
        assert_int_equal(m->idmap, IDMAP_RECURSIVE);
        assert_string_equal(m->data, "");
        assert_int_equal(m->n_uid_map, 2);
        assert_int_equal(m->uid_map[1].container_id, 10);
        assert_int_equal(m->uid_map[1].host_id, 2000);
        assert_int_equal(m->uid_map[1].size, 5);
        assert_int_equal(m->n_gid_map, 1);
        assert_int_equal(m->gid_map[0].host_id, 6);
        assert_false(m->uids_relative || m->gids_relative);
}

static void destinations_are_absolute_and_clean(void **state)
{
        (void) state;
        auto_arena struct arena *arena = arena_new();
        static const char *const list[][2] = {
                { "/a/b", "/a/b" }, { "a/b", "/a/b" }, { "/", "/" }, { "", "/" }, { ".", "/" }, { "..", "/" },
                { "../../x", "/x" }, { "/a/../../b/./c//d/", "/b/c/d" }, { "/a/..", "/" }, { "a/b/../..", "/" },
                { "/..a/b..", "/..a/b.." }, { "/.../a", "/.../a" }, { "//", "/" },
        };
        for (size_t i = 0; i < COUNT_OF(list); i++)
                assert_string_equal(path_clean(arena, list[i][0]), list[i][1]);

        auto_spec struct spec *s = read_good(MOUNT("'destination':'../tmp/./x','type':'tmpfs'"));
        assert_string_equal(s->mounts[0].destination, "/tmp/x");
}

/* bsearch(3) finds only what is sorted; `features` prints the list as it is. */
static void option_words_are_sorted_and_all_of_them_apply(void **state)
{
        (void) state;
        const char *word, *before = "";
        size_t n;
        for (n = 0; (word = mount_option_word(n)); n++) {
                struct spec_mount m = { 0 };
                assert_true(strcmp(before, word) < 0);
                assert_int_equal(mount_option_apply(&m, word), MOUNT_WORD_KNOWN);
                before = word;
        }
        assert_int_equal(n, 64);
        for (size_t i = 0; i < words_propagation.n; i++) {
                struct spec_mount m = { 0 };
                assert_int_equal(mount_option_apply(&m, words_propagation.list[i].text), MOUNT_WORD_KNOWN);
                assert_true(m.propagation == words_propagation.list[i].value);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(option_words_have_the_meaning_of_mount_8),
                cmocka_unit_test(a_mount_is_read),
                cmocka_unit_test(the_type_bind_is_a_bind_mount_too),
                cmocka_unit_test(an_idmap_option_brings_its_maps),
                cmocka_unit_test(destinations_are_absolute_and_clean),
                cmocka_unit_test(option_words_are_sorted_and_all_of_them_apply),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
