#include "runtime/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/io.h"
#include "runtime/jot.h"
#include "spec/read.h"

#define PROCESS_SIZE_MAX (16u << 20)

/* "1000" or "1000:100". */
static int edit_user(struct spec_user *user, const char *text, struct error *err)
{
        char uid[16];
        const char *colon = strchr(text, ':');
        size_t n = colon ? (size_t) (colon - text) : strlen(text);
        if (n >= sizeof(uid))
                n = 0;
        memcpy(uid, text, n);
        uid[n] = '\0';
        uint32_t new_uid, new_gid = user->gid;
        if (parse_u32(uid, &new_uid) < 0 || (colon && parse_u32(colon + 1, &new_gid) < 0))
                return error_say(err, -EINVAL, "--user \"%s\": expected UID or UID:GID, in numbers", text);
        user->uid = new_uid;
        user->gid = new_gid;
        return 0;
}

/* One line: the kernel would take the rest for something else. */
static int edit_label(const char *option, const char *text, const char **ret, struct error *err)
{
        if (strlen(text) > 1024 || strchr(text, '\n'))
                return error_say(err, -EINVAL, "%s: expected a label of one line", option);
        *ret = *text ? text : NULL;
        return 0;
}

/* A name that comes twice is settled later: instance_env_set() lets the last one win. */
static int edit_env(struct spec *spec, const char *const *add, struct error *err)
{
        size_t n = strv_len(spec->process.env), more = strv_len(add);
        const char **env = arena_grow(spec->arena, spec->process.env, n, more + 1, sizeof(*env));
        if (!env)
                return error_set(err, -ENOMEM, "--env");
        for (size_t i = 0; i < more; i++) {
                if (add[i][0] == '=' || !strchr(add[i], '='))
                        return error_say(err, -EINVAL, "--env \"%s\": expected NAME=VALUE", add[i]);
                env[n + i] = add[i];
        }
        spec->process.env = env;
        return 0;
}

static int edit_gids(struct spec *spec, const char *const *add, struct error *err)
{
        struct spec_user *user = &spec->process.user;
        size_t more = strv_len(add);
        uint32_t *groups = arena_grow(spec->arena, user->groups, user->n_groups, more + 1, sizeof(*groups));
        if (!groups)
                return error_set(err, -ENOMEM, "--additional-gids");
        for (size_t i = 0; i < more; i++)
                if (parse_u32(add[i], &groups[user->n_groups + i]) < 0)
                        return error_say(err, -EINVAL, "--additional-gids \"%s\": expected a number", add[i]);
        user->groups = groups;
        user->n_groups += more;
        return 0;
}

/* The names are the spec reader's business: it gets one as the process object that would say the same. */
static int read_cap(const char *name, uint64_t *ret_caps, struct error *err)
{
        auto_jot struct jot j = JOT_INIT(0);
        jot_open(&j, NULL, '{');
        jot_text(&j, "cwd", "/");
        jot_open(&j, "args", '[');
        jot_text(&j, NULL, "x");
        jot_close(&j, ']');
        jot_open(&j, "capabilities", '{');
        jot_open(&j, "bounding", '[');
        jot_text(&j, NULL, name);
        jot_close(&j, ']');
        jot_close(&j, '}');
        jot_close(&j, '}');
        auto_free char *text = jot_take(&j);
        if (!text)
                return error_set(err, -ENOMEM, "--cap");
        auto_spec struct spec *spec = NULL;
        int r = spec_read_process(text, strlen(text), "--cap", &spec, err);
        if (r < 0)
                return r;
        /* In a config.json an unknown one is left out, as the specification demands. Here somebody has typed it. */
        if (spec->process.caps[CAPS_BOUNDING] == 0)
                return error_say(err, -EINVAL, "--cap \"%s\": no such capability", name);
        *ret_caps |= spec->process.caps[CAPS_BOUNDING];
        return 0;
}

static int edit_caps(struct spec_process *p, const char *const *names, struct error *err)
{
        uint64_t caps = 0;
        for (; *names; names++) {
                int r = read_cap(*names, &caps, err);
                if (r < 0)
                        return r;
        }
        bool ambient = p->has_capabilities && p->caps[CAPS_AMBIENT] != 0;
        p->has_capabilities = true;
        p->caps[CAPS_BOUNDING] |= caps;
        p->caps[CAPS_EFFECTIVE] |= caps;
        p->caps[CAPS_PERMITTED] |= caps;
        if (ambient) {
                p->caps[CAPS_INHERITABLE] |= caps;
                p->caps[CAPS_AMBIENT] |= caps;
        }
        return 0;
}

static int read_process_file(const char *path, struct spec **ret_other, struct error *err)
{
        auto_free char *text = NULL;
        auto_spec struct spec *other = NULL;
        size_t size;
        int r = io_read_file(AT_FDCWD, path, PROCESS_SIZE_MAX, &text, &size);
        if (r < 0)
                return error_set(err, r, "read \"%s\"", path);
        r = spec_read_process(text, size, path, &other, err);
        if (r < 0)
                return r;
        if (!other->process.args)
                return error_say(err, -EINVAL, "%s: args: nothing to run", path);
        *ret_other = take_ptr(&other);
        return 0;
}

int exec_edit_process(struct spec *spec, const struct exec_options *o, struct spec **ret_other, struct error *err)
{
        struct spec_process *p = &spec->process;
        int r = 0;
        if (o->process_file) {
                r = read_process_file(o->process_file, ret_other, err);
                if (r == 0)
                        *p = (*ret_other)->process;
                return r;
        }

        size_t n = strv_len(o->args);
        if (n == 0)
                return error_say(err, -EINVAL, "process args cannot be empty: name a command");
        p->args = arena_grow(spec->arena, o->args, n, 1, sizeof(*p->args));
        if (!p->args)
                return error_set(err, -ENOMEM, "the command");
        p->terminal = o->tty;
        p->console_width = p->console_height = 0;
        p->no_new_privileges = p->no_new_privileges || o->no_new_privs;
        if (o->cwd)
                p->cwd = o->cwd;
        if (p->cwd[0] != '/')
                return error_say(err, -EINVAL, "--cwd \"%s\": expected an absolute path", p->cwd);
        if (o->apparmor)
                r = edit_label("--apparmor", o->apparmor, &p->apparmor, err);
        if (r == 0 && o->selinux)
                r = edit_label("--process-label", o->selinux, &p->selinux, err);
        if (r == 0 && o->user)
                r = edit_user(&p->user, o->user, err);
        if (r == 0 && o->env)
                r = edit_env(spec, o->env, err);
        if (r == 0 && o->gids)
                r = edit_gids(spec, o->gids, err);
        if (r == 0 && o->caps)
                r = edit_caps(p, o->caps, err);
        return r;
}
