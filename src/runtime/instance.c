#include "runtime/instance.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* Put one variable; the last one of a name wins, at the place of the first. */
static void put(const char **envp, size_t *n, const char *entry)
{
        size_t len = strcspn(entry, "=");
        for (size_t i = 0; i < *n; i++) {
                if (strncmp(envp[i], entry, len) == 0 && envp[i][len] == entry[len]) {
                        envp[i] = entry;
                        return;
                }
        }
        envp[(*n)++] = entry;
}

int instance_env_set(struct instance_env *ret, const char *const *args, const char *const *env, const char *const *more,
                     struct error *err)
{
        auto_instance_env struct instance_env e = INSTANCE_ENV_INIT;
        size_t n_args = strv_len(args), n_env = strv_len(env) + strv_len(more), n = 0;
        e.argv = calloc(n_args + 1, sizeof(*e.argv));
        e.envp = calloc(n_env + 2, sizeof(*e.envp));
        e.home = calloc(INSTANCE_HOME_SIZE, 1);
        if (!e.argv || !e.envp || !e.home)
                return error_set(err, -ENOMEM, "prepare the environment");
        for (size_t i = 0; i < n_args; i++)
                e.argv[i] = args[i];
        for (size_t i = 0; env && env[i]; i++)
                put(e.envp, &n, env[i]);
        for (size_t i = 0; more && more[i]; i++)
                put(e.envp, &n, more[i]);

        const char *home = strv_env((const char *const *) e.envp, "HOME");
        if (!home || !*home) {
                memcpy(e.home, "HOME=/", sizeof("HOME=/"));
                put(e.envp, &n, e.home);
        } else {
                free(take_ptr(&e.home));
        }
        *ret = e;
        e = INSTANCE_ENV_INIT;
        return 0;
}

void instance_env_use(const struct instance_env *env, struct instance *in)
{
        in->argv = env->argv;
        in->envp = env->envp;
        in->home = env->home;
}

void instance_env_clear(struct instance_env *env)
{
        free(env->argv);
        free(env->envp);
        free(env->home);
        *env = INSTANCE_ENV_INIT;
}
