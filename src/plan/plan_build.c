#include "plan/plan_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct plan_build {
        struct step *steps;
        size_t n_steps, steps_room;
        char *data;
        size_t data_size, data_room;
        uint32_t n_slots, n_fds;
        struct error failed;
};

struct plan_build *plan_build_new(void)
{
        return calloc(1, sizeof(struct plan_build));
}

void plan_build_free(struct plan_build *build)
{
        if (!build)
                return;
        free(build->steps);
        free(build->data);
        free(build);
}

void plan_build_fail(struct plan_build *build, const struct error *err)
{
        if (build->failed.code == 0)
                build->failed = *err;
}

bool plan_build_failed(const struct plan_build *build)
{
        return build->failed.code != 0;
}

static void no_memory(struct plan_build *build)
{
        struct error err = ERROR_INIT;
        (void) error_set(&err, -ENOMEM, "build the plan");
        plan_build_fail(build, &err);
}

/* Room for `size` bytes at an aligned offset; NULL after a failure. */
static char *data_add(struct plan_build *build, size_t size, size_t align)
{
        size_t at = (build->data_size + align - 1) / align * align;
        if (plan_build_failed(build))
                return NULL;
        if (at + size > build->data_room) {
                size_t room = (at + size) * 2 + 4096;
                char *grown = realloc(build->data, room);
                if (!grown) {
                        no_memory(build);
                        return NULL;
                }
                build->data = grown;
                build->data_room = room;
        }
        memset(build->data + build->data_size, 0, at + size - build->data_size);
        build->data_size = at + size;
        return build->data + at;
}

uint64_t plan_build_string(struct plan_build *build, const char *s)
{
        size_t size = strlen(s ? s : "") + 1;
        char *at = data_add(build, size, 1);
        if (!at)
                return 0;
        memcpy(at, s ? s : "", size);
        return (uint64_t) (at - build->data);
}

uint64_t plan_build_blob(struct plan_build *build, const void *data, size_t size)
{
        char *at = data_add(build, sizeof(uint64_t) + size, sizeof(uint64_t));
        if (!at)
                return 0;
        uint64_t stored = size;
        memcpy(at, &stored, sizeof(stored));
        if (size > 0)
                memcpy(at + sizeof(stored), data, size);
        return (uint64_t) (at - build->data);
}

uint64_t plan_build_strv(struct plan_build *build, const char *const *v)
{
        size_t size = 0;
        for (size_t i = 0; v && v[i]; i++)
                size += strlen(v[i]) + 1;
        uint64_t at = plan_build_blob(build, NULL, 0);
        char *bytes = data_add(build, size, 1);
        if (!bytes)
                return 0;
        uint64_t stored = size;
        memcpy(build->data + at, &stored, sizeof(stored));
        for (size_t i = 0; v && v[i]; i++)
                bytes = (char *) memcpy(bytes, v[i], strlen(v[i]) + 1) + strlen(v[i]) + 1;
        return at;
}

uint64_t plan_build_fd(struct plan_build *build)
{
        if (build->n_fds == PLAN_FDS_MAX) {
                struct error err = ERROR_INIT;
                (void) error_say(&err, -E2BIG, "more than %u descriptors are needed at once", PLAN_FDS_MAX);
                plan_build_fail(build, &err);
                return 0;
        }
        return build->n_fds++;
}

static void note_slots(struct plan_build *build, const struct step *step)
{
        const struct step_info *info = step_info(step->op);
        for (unsigned i = 0; i < STEP_ARGS; i++)
                if (arg_may_vary(info->arg[i]) && (step->arg[i] & ARG_SLOT) &&
                    (step->arg[i] & ~ARG_SLOT) >= build->n_slots)
                        build->n_slots = (uint32_t) (step->arg[i] & ~ARG_SLOT) + 1;
}

void plan_build_step(struct plan_build *build, enum step_op op, const uint64_t args[STEP_ARGS])
{
        if (plan_build_failed(build))
                return;
        if (build->n_steps == build->steps_room) {
                size_t room = build->steps_room ? build->steps_room * 2 : 64;
                struct step *grown = realloc(build->steps, room * sizeof(*grown));
                if (!grown) {
                        no_memory(build);
                        return;
                }
                build->steps = grown;
                build->steps_room = room;
        }
        struct step *step = &build->steps[build->n_steps++];
        *step = (struct step){ .op = (uint16_t) op, .lane = (uint16_t) step_info(op)->lane };
        memcpy(step->arg, args, sizeof(step->arg));
        note_slots(build, step);
}

int plan_build_finish(struct plan_build *build, void **ret_block, size_t *ret_size, struct error *err)
{
        (void) plan_build_string(build, "");    /* the data ends with a terminator */
        if (plan_build_failed(build)) {
                if (err)
                        *err = build->failed;
                return build->failed.code;
        }
        struct plan_header header = {
                .magic = PLAN_MAGIC, .format = PLAN_FORMAT,
                .n_steps = (uint32_t) build->n_steps, .n_slots = (uint16_t) build->n_slots, .n_fds = (uint16_t) build->n_fds,
                .data_size = build->data_size,
        };
        size_t steps_size = build->n_steps * sizeof(struct step);
        size_t size = sizeof(header) + steps_size + build->data_size;
        auto_free char *block = malloc(size);
        if (!block)
                return error_set(err, -ENOMEM, "build the plan");
        memcpy(block, &header, sizeof(header));
        if (steps_size > 0)
                memcpy(block + sizeof(header), build->steps, steps_size);
        memcpy(block + sizeof(header) + steps_size, build->data, build->data_size);

        struct plan checked;
        int r = plan_open(&checked, block, size, err);
        if (r < 0)
                return error_wrap(err, "compiled an unusable plan");
        *ret_block = take_ptr(&block);
        *ret_size = size;
        return 0;
}
