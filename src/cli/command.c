#include "cli/command.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/state.h"

int command_root(const struct call *call, bool create, int *ret_fd, struct error *err)
{
        auto_free char *own = NULL;
        const char *root = call->globals->root;
        if (!root)
                root = own = state_default_root((const char *const *) environ);
        if (!root)
                return error_set(err, -ENOMEM, "find the state directory");
        int r = state_root_open(root, create, ret_fd, err);
        if (r == -ENOENT && !create && call->pos.n > 0)
                return error_say(err, r, "container does not exist: \"%s\"", call->pos.list[0]);
        return r;
}

int command_bundle(const struct call *call, const char *given, const char **ret, struct error *err)
{
        char path[PATH_MAX];
        const char *bundle = given && *given ? given : ".";
        if (chdir(bundle) < 0)
                return error_set(err, -errno, "bundle \"%s\"", bundle);
        if (!getcwd(path, sizeof(path)))
                return error_set(err, -errno, "find out where bundle \"%s\" is", bundle);
        const char *copy = arena_strdup(call->arena, path);
        if (!copy)
                return error_set(err, -ENOMEM, "bundle \"%s\"", bundle);
        *ret = copy;
        return 0;
}

int command_listen_fds(uint32_t *ret, struct error *err)
{
        const char *text = strv_env((const char *const *) environ, "LISTEN_FDS");
        if (text && *text && parse_u32(text, ret) < 0)
                return error_say(err, -EINVAL, "LISTEN_FDS=%s in the environment: expected a number", text);
        return 0;
}

void command_warn(const struct call *call, const struct error *warning)
{
        auto_str struct str s = STR_INIT;
        if (warning->code == 0)
                return;
        str_addf(&s, "%s: warning: %s", call->globals->program, warning->text);
        report(call->globals, "warning", str_failed(&s) ? warning->text : s.text);
}
