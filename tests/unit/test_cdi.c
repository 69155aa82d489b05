/* CDI files as typed data: what is read, and what is refused with which sentence (spec/cdi.h). ' stands for ". */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "spec/cdi.h"
#include "spec_help.h"

#define FILE_(version, class, devices, more) \
        "{'cdiVersion':'" version "','kind':'acme.org/" class "','devices':[" devices "]" more "}"
#define ONE(edits) FILE_("1.1.0", "nic", "{'name':'n0','containerEdits':{" edits "}}", "")
#define RULE(numbers, access) "{'allow':true,'type':'c'," numbers ",'access':'" access "'}"
#define ENV "'env':['A=1']"

static int read_cdi(struct arena *arena, const char *text, struct cdi_file *ret, struct error *err)
{
        auto_free char *json = quotes(text);
        return cdi_read_text(arena, json, strlen(json), "/etc/cdi/a.json", ret, err);
}

static const char everything[] =
        FILE_("v1.1.0", "nic.x",
              "{'name':'0','annotations':{'acme.org/note':'b'},'containerEdits':{"
              " 'env':['NIC=0'],"
              " 'deviceNodes':[{'path':'/dev//nic0','hostPath':'/dev/acme/0','type':'c','major':7,'minor':3,"
              "                 'fileMode':432,'permissions':'rw','uid':5,'gid':6},"
              "                {'path':'/dev/ctl','permissions':'none'}],"
              " 'mounts':[{'hostPath':'/usr/lib/a.so','containerPath':'/lib/a.so','options':['ro','bind'],'type':'none'}],"
              " 'hooks':[{'hookName':'createContainer','path':'/bin/h','args':['h','x'],'env':['E=1'],'timeout':3}],"
              " 'additionalGIDs':[9],"
              " 'intelRdt':{'closID':'c','l3CacheSchema':'L3:0=f','memBwSchema':'MB:0=20','schemata':['L2:0=1'],"
              "             'enableMonitoring':true},"
              " 'netDevices':[{'hostInterfaceName':'hsn0','name':'eth0'}]}},"
              "{'name':'b:1','containerEdits':{" ENV "}}",
              ",'annotations':{'a':'b'},'containerEdits':{'env':['ALL=1']}");

static void every_property_is_read(void **state)
{
        (void) state;
        auto_arena struct arena *arena = arena_new();
        struct cdi_file f = { 0 };
        struct error err = ERROR_INIT;
        if (read_cdi(arena, everything, &f, &err) < 0)
                fail_msg("%s", err.text);
        assert_string_equal(f.version, "1.1.0");
        assert_string_equal(f.vendor, "acme.org");
        assert_string_equal(f.class, "nic.x");
        assert_string_equal(f.edits.env[0], "ALL=1");
        assert_int_equal(f.n_devices, 2);
        const struct edits *e = &f.devices[0].edits;
        assert_string_equal(f.devices[0].name, "0");
        assert_int_equal(e->n_nodes, 2);
        const struct edit_node *n = &e->nodes[0];
        assert_string_equal(n->path, "/dev/nic0");
        assert_string_equal(n->host, "/dev/acme/0");
        assert_int_equal(n->type, 'c');
        assert_int_equal(n->major, 7);
        assert_int_equal(n->minor, 3);
        assert_true(n->has_mode && n->mode == 0660 && n->has_uid && n->uid == 5 && n->has_gid && n->gid == 6);
        assert_true(n->read && n->write && !n->mknod);
        n = &e->nodes[1];
        assert_true(!n->type && !n->host && !n->has_mode && !n->read && !n->write && !n->mknod);
        assert_string_equal(e->mounts[0].options[1], "bind");
        assert_string_equal(e->mounts[0].type, "none");
        assert_int_equal(e->hooks[0].kind, HOOK_CREATE_CONTAINER);
        assert_string_equal(e->hooks[0].hook.args[1], "x");
        assert_int_equal(e->hooks[0].hook.timeout, 3);
        assert_int_equal(e->groups[0], 9);
        assert_string_equal(e->rdt->clos, "c");
        assert_true(e->rdt->monitoring);
        assert_string_equal(e->nets[0].device, "hsn0");
        assert_string_equal(e->nets[0].name, "eth0");
        assert_true(edits_empty(&(struct edits){ 0 }));
}

static void mistakes_are_said(void **state)
{
        (void) state;
        static const struct {
                const char *json, *sentence;
        } bad[] = {
                { "", "is empty" },
                { "[]", "line 1, column 1 (byte 0): expected an object" },
                { "{\n 'cdiVersion':\n", "line 3, column 1 (byte 17): the text ends in the middle of a value" },
                { "{}", "cdiVersion: missing" },
                { FILE_("1.2.0", "nic", "", ""), "cdiVersion: unknown version '1.2.0', supported are 0.3.0 to 1.1.0" },
                { FILE_("0.2.0", "nic", "", ""), "cdiVersion: unknown version '0.2.0', supported are 0.3.0 to 1.1.0" },
                { "{'cdiVersion':'1.0.0','kind':'nic'}", "kind: expected VENDOR/CLASS, found 'nic'" },
                { "{'cdiVersion':'1.0.0','kind':'/nic'}", "kind: the vendor in '/nic' is empty" },
                { "{'cdiVersion':'1.0.0','kind':'0.org/nic'}", "kind: the vendor in '0.org/nic' has to begin with a letter" },
                { FILE_("1.0.0", "ni/c", "", ""),
                  "kind: the class in 'acme.org/ni/c' may have letters, digits, '_', '-' and '.' only" },
                { FILE_("1.0.0", "nic-", "", ""), "kind: the class in 'acme.org/nic-' has to end with a letter or a digit" },
                { FILE_("1.0.0", "nic", "", ""), "devices: is empty, expected at least one device" },
                { FILE_("1.0.0", "nic", "{'containerEdits':{" ENV "}}", ""), "devices[0].name: missing" },
                { FILE_("1.0.0", "nic", "{'name':'a'}", ""), "devices[0].containerEdits: missing" },
                { ONE(""), "devices[0].containerEdits: is empty: the device would change nothing" },
                { FILE_("1.0.0", "nic", "{'name':'_a','containerEdits':{" ENV "}}", ""),
                  "devices[0].name: '_a' has to begin with a letter or a digit" },
                { FILE_("1.0.0", "nic", "{'name':'a b','containerEdits':{" ENV "}}", ""),
                  "devices[0].name: 'a b' may have letters, digits, '_', '-', '.' and ':' only" },
                { FILE_("1.0.0", "nic", "{'name':'a','containerEdits':{" ENV "}},{'name':'a','containerEdits':{" ENV "}}", ""),
                  "devices[1]: name 'a' is in element 0, too" },
                { ONE(ENV ",'colour':'red'"), "devices[0].containerEdits.colour: unknown property" },
                { FILE_("1.0.0", "nic", "{'name':'a','containerEdits':{" ENV "}}", ",'extra':1"), "extra: unknown property" },
                { ONE("'env':['=x']"), "devices[0].containerEdits.env[0]: expected NAME=VALUE, found '=x'" },
                { ONE("'env':'A=1'"), "devices[0].containerEdits.env: expected an array, found a string" },
                { ONE("'deviceNodes':[{}]"), "devices[0].containerEdits.deviceNodes[0].path: missing" },
                { ONE("'deviceNodes':[{'path':'dev/x'}]"),
                  "devices[0].containerEdits.deviceNodes[0].path: expected an absolute path, found 'dev/x'" },
                { ONE("'deviceNodes':[{'path':'/dev/x','type':'x'}]"),
                  "devices[0].containerEdits.deviceNodes[0].type: unknown device type 'x' (one of c, u, b, p)" },
                { ONE("'deviceNodes':[{'path':'/dev/x','major':4096}]"),
                  "devices[0].containerEdits.deviceNodes[0].major: expected a number from 0 to 4095, found 4096" },
                { ONE("'deviceNodes':[{'path':'/dev/x','permissions':'rx'}]"),
                  "devices[0].containerEdits.deviceNodes[0].permissions: expected letters of 'rwm', or 'none', found 'rx'" },
                { ONE("'mounts':[{'hostPath':'/a'}]"), "devices[0].containerEdits.mounts[0].containerPath: missing" },
                { ONE("'hooks':[{'hookName':'start','path':'/h'}]"),
                  "devices[0].containerEdits.hooks[0].hookName: unknown hook 'start' (one of prestart, createRuntime, "
                  "createContainer, startContainer, poststart, poststop)" },
                { ONE("'hooks':[{'hookName':'poststart','path':'h'}]"),
                  "devices[0].containerEdits.hooks[0].path: expected an absolute path, found 'h'" },
                { ONE("'hooks':[{'hookName':'poststart','path':'/h','timeout':0}]"),
                  "devices[0].containerEdits.hooks[0].timeout: expected a number from 1 to 2147483647, found 0" },
                { ONE("'additionalGids':[-1]"),
                  "devices[0].containerEdits.additionalGids[0]: expected a number from 0 to 4294967294, found -1" },
                { ONE("'intelRdt':{'closID':'..'}"),
                  "devices[0].containerEdits.intelRdt.closID: expected the name of a file, or '/', found '..'" },
                { ONE("'intelRdt':{'enableCMT':true}"), "devices[0].containerEdits.intelRdt.enableCMT: unknown property" },
                { ONE("'netDevices':[{'hostInterfaceName':'a','name':''}]"),
                  "devices[0].containerEdits.netDevices[0].name: expected the name of a network device (1 to 15 bytes), found ''" },
                { ONE("'netDevices':[{'hostInterfaceName':'a','name':'x'},{'hostInterfaceName':'b','name':'x'}]"),
                  "devices[0].containerEdits.netDevices[1]: name 'x' is in element 0, too" },
                { FILE_("1.0.0", "nic", "{'name':'a','annotations':{'_x':'1'},'containerEdits':{" ENV "}}", ""),
                  "devices[0].annotations._x: its name has to be 1 to 63 letters, digits, '_', '-' and '.', with letters or "
                  "digits at the ends" },
                { FILE_("1.0.0", "nic", "{'name':'a','annotations':{'-b/x':'1'},'containerEdits':{" ENV "}}", ""),
                  "devices[0].annotations['-b/x']: its prefix has to be a DNS name" },
                { FILE_("1.0.0", "nic", "{'name':'a','annotations':{'x':1},'containerEdits':{" ENV "}}", ""),
                  "devices[0].annotations.x: expected a string, found a number" },
                /* younger than the file says it is */
                { FILE_("0.3.0", "nic", "{'name':'a','containerEdits':{'mounts':[{'hostPath':'/a','containerPath':'/b','type':'x'}]}}", ""),
                  "cdiVersion: '0.3.0', but 'type' of a mount needs 0.4.0" },
                { FILE_("0.4.0", "nic", "{'name':'a','containerEdits':{'deviceNodes':[{'path':'/a','hostPath':'/b'}]}}", ""),
                  "cdiVersion: '0.4.0', but 'hostPath' of a device node needs 0.5.0" },
                { FILE_("0.4.0", "nic", "{'name':'0','containerEdits':{" ENV "}}", ""),
                  "cdiVersion: '0.4.0', but a device name that begins with a digit needs 0.5.0" },
                { FILE_("0.5.0", "ni.c", "{'name':'0','containerEdits':{" ENV "}}", ""),
                  "cdiVersion: '0.5.0', but a class with a dot needs 0.6.0" },
                { FILE_("0.5.0", "nic", "{'name':'0','annotations':{'a':'b'},'containerEdits':{" ENV "}}", ""),
                  "cdiVersion: '0.5.0', but 'annotations' needs 0.6.0" },
                { FILE_("0.6.0", "nic", "{'name':'0','containerEdits':{'additionalGids':[1]}}", ""),
                  "cdiVersion: '0.6.0', but 'additionalGids' needs 0.7.0" },
                { FILE_("0.6.0", "nic", "{'name':'0','containerEdits':{'intelRdt':{'closID':'a'}}}", ""),
                  "cdiVersion: '0.6.0', but 'intelRdt' needs 0.7.0" },
                { FILE_("1.0.0", "nic", "{'name':'0','containerEdits':{'intelRdt':{'schemata':['MB:0=20']}}}", ""),
                  "cdiVersion: '1.0.0', but 'schemata' or 'enableMonitoring' of intelRdt needs 1.1.0" },
                { FILE_("1.0.0", "nic", "{'name':'0','containerEdits':{" ENV "}}",
                        ",'containerEdits':{'netDevices':[{'hostInterfaceName':'a','name':'x'}]}"),
                  "cdiVersion: '1.0.0', but 'netDevices' needs 1.1.0" },
        };
        for (size_t i = 0; i < COUNT_OF(bad); i++) {
                auto_arena struct arena *arena = arena_new();
                struct cdi_file f = { 0 };
                struct error err = ERROR_INIT;
                char sentence[512];
                snprintf(sentence, sizeof(sentence), "/etc/cdi/a.json: %s", bad[i].sentence);
                auto_free char *want = quotes(sentence);
                int r = read_cdi(arena, bad[i].json, &f, &err);
                if (r != -EINVAL || strcmp(err.text, want) != 0)
                        print_error("for  %s\ngot  %s\nwant %s\n", bad[i].json, err.text, want);
                assert_int_equal(r, -EINVAL);
                assert_string_equal(err.text, want);
                assert_null(f.vendor);
        }
}

static void names_have_three_parts(void **state)
{
        (void) state;
        auto_arena struct arena *arena = arena_new();
        struct cdi_name name = { 0 };
        struct error err = ERROR_INIT;
        assert_true(cdi_is_name("acme.org/nic=0"));
        assert_false(cdi_is_name("/dev/a=b"));
        assert_false(cdi_is_name("nic"));
        assert_int_equal(cdi_parse_name(arena, "acme.org/nic=GPU-1:2", &name, &err), 0);
        assert_string_equal(name.vendor, "acme.org");
        assert_string_equal(name.class, "nic");
        assert_string_equal(name.device, "GPU-1:2");
        static const char *const bad[][2] = {
                { "nic=0", "device \"nic=0\": expected VENDOR/CLASS=NAME, or the path of a device" },
                { "acme.org/=0", "device \"acme.org/=0\": the class is empty" },
                { "/nic=0", "device \"/nic=0\": the vendor is empty" },
                { "a/b=", "device \"a/b=\": the name is empty" },
                { "a/b=c=d", "device \"a/b=c=d\": the name may have letters, digits, \"_\", \"-\", \".\" and \":\" only" },
        };
        for (size_t i = 0; i < COUNT_OF(bad); i++) {
                assert_int_equal(cdi_parse_name(arena, bad[i][0], &name, &err), -EINVAL);
                assert_string_equal(err.text, bad[i][1]);
        }
}

/* ---- edits of a config ---- */

static struct edits edits_of(struct arena *arena, const char *text)
{
        struct cdi_file f = { 0 };
        struct error err = ERROR_INIT;
        if (read_cdi(arena, text, &f, &err) < 0)
                fail_msg("%s", err.text);
        return f.devices[0].edits;
}

static char *edited(const char *config, const char *cdi)
{
        auto_arena struct arena *arena = arena_new();
        auto_free char *json = quotes(config);
        auto_spec struct spec *spec = read_good(config);
        const struct edits e = edits_of(arena, cdi);
        struct error err = ERROR_INIT;
        char *text = NULL;
        assert_int_equal(edit_config(spec, json, strlen(json), &e, &text, &err), 0);
        return text;
}

static void edited_is(const char *config, const char *cdi, const char *wanted)
{
        auto_free char *got = edited(config, cdi);
        auto_free char *want = quotes(wanted);
        assert_string_equal(got, want);
        /* and it is a config again */
        auto_spec struct spec *spec = NULL;
        struct error err = ERROR_INIT;
        assert_int_equal(spec_read_text(got, strlen(got), "edited", &spec, &err), 0);
}

static void edits_replace_and_append(void **state)
{
        (void) state;
        edited_is(PROCESS(",'Env':['A=0','B=1'],'user':{'uid':3,'additionalGids':[9]}"),
                  ONE("'env':['A=1','C=2'],'additionalGids':[0,9,10]"),
                  PROCESS(",'Env':['A=1','B=1','C=2'],'user':{'uid':3,'additionalGids':[9,10]}"));
}

static void nodes_bring_their_rules(void **state)
{
        (void) state;
        edited_is(CONFIG(",'process':{'cwd':'/','args':['sh'],'user':{'uid':3,'gid':4}},"
                         "'linux':{'devices':[{'path':'/dev/../dev/n','type':'b','major':9,'minor':9}],"
                         "'resources':{'devices':[{'allow':false,'access':'rwm'}]}}"),
                  ONE("'deviceNodes':[{'path':'/dev/n','type':'c','major':7,'minor':1,'fileMode':384,'permissions':'r'},"
                      "{'path':'/dev/f','type':'p','uid':8,'gid':8},"
                      "{'path':'/dev/none','type':'u','major':7,'minor':2,'permissions':'none'}]"),
                  CONFIG(",'process':{'cwd':'/','args':['sh'],'user':{'uid':3,'gid':4}},"
                         "'linux':{'devices':[{'path':'/dev/n','type':'c','major':7,'minor':1,'fileMode':384,'uid':3,'gid':4},"
                         "{'path':'/dev/f','type':'p','uid':8,'gid':8},"
                         "{'path':'/dev/none','type':'u','major':7,'minor':2,'uid':3,'gid':4}],"
                         "'resources':{'devices':[{'allow':false,'access':'rwm'}," RULE("'major':7,'minor':1", "r") "]}}"));
}

#define NS "'linux':{'namespaces':[{'type':'mount'}]}"

static void mounts_hide_none_of_the_others(void **state)
{
        (void) state;
        edited_is(CONFIG("," NS ",'mounts':[{'destination':'/a/b/','type':'tmpfs'},{'destination':'/lib/x','type':'tmpfs'},"
                         "{'destination':'/z','type':'tmpfs'}]"),
                  ONE("'mounts':[{'hostPath':'/h','containerPath':'/lib'},"
                      "{'hostPath':'/i','containerPath':'/a/b','options':['ro','rbind']},"
                      "{'hostPath':'/j','containerPath':'/j','options':['ro']}]"),
                  CONFIG("," NS ",'mounts':["
                         "{'destination':'/lib','source':'/h','type':'bind','options':['rbind']},"
                         "{'destination':'/lib/x','type':'tmpfs'},{'destination':'/z','type':'tmpfs'},"
                         "{'destination':'/a/b','source':'/i','options':['ro','rbind']},"
                         "{'destination':'/j','source':'/j','type':'bind','options':['ro','rbind']}]"));
}

static void hooks_and_network_devices_are_added(void **state)
{
        (void) state;
        edited_is(CONFIG(",'hooks':{'poststop':[{'path':'/old'}]},'linux':{'namespaces':[{'type':'network'}],"
                         "'netDevices':{'h0':{'name':'e0'}}}"),
                  ONE("'hooks':[{'hookName':'poststop','path':'/new','args':['new','-x'],'env':['A=b'],'timeout':2}],"
                      "'netDevices':[{'hostInterfaceName':'h0','name':'e1'},{'hostInterfaceName':'h2','name':'e2'}]"),
                  CONFIG(",'hooks':{'poststop':[{'path':'/old'},{'path':'/new','args':['new','-x'],'env':['A=b'],'timeout':2}]},"
                         "'linux':{'namespaces':[{'type':'network'}],'netDevices':{'h0':{'name':'e1'},'h2':{'name':'e2'}}}"));
}

#define USER_NS "'linux':{'namespaces':[{'type':'user'},{'type':'mount'}],"                                     \
                "'uidMappings':[{'containerID':0,'hostID':1,'size':9}],'gidMappings':[{'containerID':0,'hostID':1,'size':9}]"

static void in_a_user_namespace_another_path_is_bound(void **state)
{
        (void) state;
        edited_is(CONFIG("," USER_NS "}"),
                  ONE("'deviceNodes':[{'path':'/dev/n','hostPath':'/dev/h','type':'c','major':7,'minor':1}]"),
                  CONFIG("," USER_NS ",'devices':[],'resources':{'devices':[" RULE("'major':7,'minor':1", "rwm") "]}},"
                         "'mounts':[{'destination':'/dev/n','source':'/dev/h','type':'bind','options':['bind']}]"));
}

static void resctrl_replaces(void **state)
{
        (void) state;
        auto_free char *got = edited(CONFIG(",'linux':{}"), ONE("'intelRdt':{'closID':'c','schemata':['MB:0=20']}"));
        auto_free char *want = quotes(CONFIG(",'linux':{'intelRdt':{'closID':'c','schemata':['MB:0=20']}}"));
        assert_string_equal(got, want);
}

static void locked_memory_replaces(void **state)
{
        (void) state;
        static const char config[] = PROCESS(",'rlimits':[{'type':'RLIMIT_MEMLOCK','soft':1,'hard':2},"
                                             "{'type':'RLIMIT_CORE','soft':0,'hard':0}]");
        auto_free char *json = quotes(config), *text = NULL;
        auto_spec struct spec *spec = read_good(config);
        const struct edits e = { .raises_memlock = true, .memlock = UINT64_MAX };
        struct error err = ERROR_INIT;
        assert_int_equal(edit_config(spec, json, strlen(json), &e, &text, &err), 0);
        auto_free char *want = quotes(PROCESS(",'rlimits':[{'type':'RLIMIT_CORE','soft':0,'hard':0},{'type':'RLIMIT_MEMLOCK',"
                                              "'soft':18446744073709551615,'hard':18446744073709551615}]"));
        assert_string_equal(text, want);
}

static void later_edits_come_behind(void **state)
{
        (void) state;
        auto_arena struct arena *arena = arena_new();
        struct edits a = { 0 };
        struct edits b = edits_of(arena, ONE("'env':['A=1'],'additionalGids':[1],'deviceNodes':[{'path':'/a'}]"));
        struct edits c = edits_of(arena, ONE("'env':['B=1'],'additionalGids':[2,3],'intelRdt':{}"));
        assert_int_equal(edits_append(arena, &a, &b), 0);
        assert_int_equal(edits_append(arena, &a, &c), 0);
        assert_string_equal(a.env[0], "A=1");
        assert_string_equal(a.env[1], "B=1");
        assert_null(a.env[2]);
        assert_int_equal(a.n_groups, 3);
        assert_int_equal(a.groups[2], 3);
        assert_int_equal(a.n_nodes, 1);
        assert_non_null(a.rdt);
        assert_false(edits_empty(&a));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_property_is_read),
                cmocka_unit_test(mistakes_are_said),
                cmocka_unit_test(names_have_three_parts),
                cmocka_unit_test(edits_replace_and_append),
                cmocka_unit_test(nodes_bring_their_rules),
                cmocka_unit_test(mounts_hide_none_of_the_others),
                cmocka_unit_test(hooks_and_network_devices_are_added),
                cmocka_unit_test(in_a_user_namespace_another_path_is_bound),
                cmocka_unit_test(resctrl_replaces),
                cmocka_unit_test(locked_memory_replaces),
                cmocka_unit_test(later_edits_come_behind),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
