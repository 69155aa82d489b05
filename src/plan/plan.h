#pragma once
/*
 * plan - a container start, decided beforehand.
 *
 * A plan is a read-only block of memory without pointers: a header, the steps,
 * the data (strings and blobs). It is made by plan/plan_build.h, and from then on
 * it can be listed, compared with a golden file, written to a file or a memfd,
 * sealed, mapped by another process, and executed any number of times, also at
 * the same time.
 *
 * What differs between two executions is not in the plan but in an instance.
 * The plan refers to it by slot number. Arguments and environment of the process
 * are always the instance's: secrets are never in a plan or its listing.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "plan/step.h"

#define PLAN_MAGIC   UINT32_C(0x6e616c70)       /* "plan" */
#define PLAN_SLOTS_MAX 8u
#define PLAN_FDS_MAX 64u
#define PLAN_STEPS_MAX 60000u

/* The format belongs to the build that wrote it: it is not for interchange. */
struct plan_header {
        uint32_t magic;
        uint32_t format;        /* PLAN_FORMAT of the build: a checksum of what defines the words */
        uint32_t n_steps;
        uint16_t n_slots, n_fds;
        uint64_t data_size;     /* the data follows the steps directly */
};
_Static_assert(sizeof(struct plan_header) % 8 == 0, "steps and blobs are aligned");

/* A view on a block that plan_open() has checked. Copying it is fine. */
struct plan {
        const struct step *steps;
        size_t n_steps;
        const char *data;
        size_t data_size;
        size_t n_slots, n_fds;
};

/* What STEP_WRITE_STATE records, and STEP_STATE_AHEAD: what will be running. */
enum plan_state { PLAN_CREATING, PLAN_CREATED, PLAN_RUNNING, PLAN_FORESEEN };

/* Bytes that a plan or an instance lends. */
struct plan_bytes {
        const void *data;
        size_t size;
};

/*
 * The values one execution brings along. Borrowed, must outlive it. A string
 * slot is given as bytes with the terminator included.
 */
struct instance {
        struct plan_bytes slot[PLAN_SLOTS_MAX];
        int fd[PLAN_FDS_MAX];           /* -1: not open. Steps of the parent may fill them */
        const char *const *argv;
        const char *const *envp;
        char *home;                     /* "HOME=/", INSTANCE_HOME_SIZE bytes, one of envp: find-home fills it in */
};

#define INSTANCE_HOME_SIZE 1024
#define INSTANCE_INIT ((struct instance){ .fd = { [0 ... PLAN_FDS_MAX - 1] = -1 } })

/*
 * Check a block and make it usable. Everything the executors rely on is
 * verified here once (bounds, known ops, lanes, terminated strings), so that
 * they need not check again. -EINVAL if the block is not a plan, -ESTALE if it is
 * one of another build.
 * `block` must be aligned to 8 bytes.
 */
int plan_open(struct plan *ret_plan, const void *block, size_t size, struct error *err) MUST_CHECK;

/* Argument `n` of a step, with slots resolved. Async-signal-safe (plan_read.c). */
const char *plan_string(const struct plan *plan, const struct instance *in, const struct step *step, unsigned n);
struct plan_bytes plan_bytes(const struct plan *plan, const struct instance *in, const struct step *step, unsigned n);

/* Print the plan for people: one line per step, slots as $0, $1, ... */
void plan_list(const struct plan *plan, FILE *out);

/* One step as a phrase for an error message: `mount "proc" "/proc" nosuid`. */
void plan_phrase(const struct plan *plan, const struct instance *in, size_t step, char *buf, size_t size);
