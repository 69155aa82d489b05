#pragma once
/*
 * instance - the arguments and the environment of the process to be, as an
 * execution of a plan takes them.
 *
 *      auto_instance_env struct instance_env env = INSTANCE_ENV_INIT;
 *      instance_env_set(&env, spec->process.args, spec->process.env, extra, &err);
 *      struct instance in = INSTANCE_INIT;
 *      instance_env_use(&env, &in);
 */

#include "base/cleanup.h"
#include "plan/plan.h"

/* Owns the vectors; the strings are borrowed and must outlive it. */
struct instance_env {
        const char **argv, **envp;
        char *home;             /* "HOME=/": the child fills it in when the environment has none */
};

#define INSTANCE_ENV_INIT ((struct instance_env){ 0 })

/* `env` and then `more` (either may be NULL); a name that comes again replaces the first. -ENOMEM. */
int instance_env_set(struct instance_env *ret, const char *const *args, const char *const *env,
                     const char *const *more, struct error *err) MUST_CHECK;

void instance_env_use(const struct instance_env *env, struct instance *in);

void instance_env_clear(struct instance_env *env);
static inline void instance_env_clear_p(struct instance_env *env) { instance_env_clear(env); }
#define auto_instance_env CLEANUP(instance_env_clear)
