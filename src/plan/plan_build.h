#pragma once
/*
 * plan_build - write a plan, step by step.
 *
 * The builder remembers the first failure; append calls after it do nothing.
 * So the order of a container start can be written without an `if` between
 * the lines, and plan_build_finish() is the only place to check.
 */

#include "base/cleanup.h"
#include "plan/plan.h"

struct plan_build;

struct plan_build *plan_build_new(void);          /* NULL: out of memory */
void plan_build_free(struct plan_build *build);
CLEANUP_DEFINE(struct plan_build *, plan_build_free)
#define auto_plan_build CLEANUP(plan_build_free)

/* Intern a string; the result is good as an ARG_STRING. NULL counts as "". */
uint64_t plan_build_string(struct plan_build *build, const char *s);

/* Store bytes; good as an ARG_BLOB. */
uint64_t plan_build_blob(struct plan_build *build, const void *data, size_t size);

/* Store a string vector; good as an ARG_STRV. NULL is an empty one. */
uint64_t plan_build_strv(struct plan_build *build, const char *const *v);

/* A new descriptor slot; good as an ARG_FD. */
uint64_t plan_build_fd(struct plan_build *build);

void plan_build_step(struct plan_build *build, enum step_op op, const uint64_t args[STEP_ARGS]);

/* plan_add(b, STEP_CHDIR, plan_build_string(b, "/")): missing arguments are 0. */
#define plan_add(build, op, ...) \
        plan_build_step((build), (op), (const uint64_t[STEP_ARGS]){ __VA_ARGS__ })

/* Note a failure with its sentence; the first one is kept. */
void plan_build_fail(struct plan_build *build, const struct error *err);
bool plan_build_failed(const struct plan_build *build);

/* The finished block; the caller frees it. */
int plan_build_finish(struct plan_build *build, void **ret_block, size_t *ret_size, struct error *err) MUST_CHECK;
