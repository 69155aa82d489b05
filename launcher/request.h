#pragma once
/*
 * request - what the launcher and a spawner say to each other. Pure.
 *
 * Records on a SOCK_SEQPACKET socket, between two processes of the same build:
 *
 *      launcher                                spawner
 *      pattern (plan fd, words fd)     ->
 *      rank    (stdin, stdout, stderr) ->      starts it
 *                                      <-      started (pidfd), or an error
 *      stopped                         ->      runs its poststop hooks
 *
 * A decoded request points into the record it was decoded from.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "plan/compile.h"

#define RECORD_MAX ((size_t) 64 * 1024)

enum record_kind { RECORD_PATTERN = 1, RECORD_RANK, RECORD_STOPPED };

struct pattern_record {
        uint32_t kind, number;          /* of the pattern; they come in order from 0 on */
        char cgroup[1016];              /* where spawners and instances are; "": where the launcher is */
};

struct stopped_record {
        uint32_t kind, rank;
};

struct request {
        uint32_t rank, pattern;
        struct plan_bytes slot[SLOT_COUNT];
        struct plan_bytes env;          /* "NAME=value\0" ... on top of the pattern's */
};

/* `buf` is aligned to 8 bytes and holds `room`. The size of the record, or -EMSGSIZE. */
long request_encode(const struct request *r, void *buf, size_t room);

/* -EPROTO if this is no record of a rank. */
int request_decode(const void *record, size_t size, struct request *ret) MUST_CHECK;

/* The spawner's answer; the text is sent only as far as it goes. */
struct reply {
        uint32_t rank;
        int32_t code;           /* 0, or -errno and a sentence */
        int32_t pid;            /* also of one that failed and is to be reaped; -1: no pidfd comes along */
        int32_t first_pid;      /* a process that handed over to this one and is to be reaped; 0: none */
        uint64_t started_ns;    /* CLOCK_MONOTONIC when the process ran */
        char text[ERROR_TEXT_MAX];
};

size_t reply_size(const struct reply *r);

/* The words all instances share: arguments and environment, one block for a memfd. */
struct words {
        const char **argv, **envp;      /* NULL-terminated; the strings are the block's */
        size_t n_env;
};

/* The caller frees the block. -ENOMEM. */
int words_pack(const char *const *argv, const char *const *envp, void **ret_block, size_t *ret_size) MUST_CHECK;
/* `block` must outlive the words. `room`: for how many further variables. words_clear() frees the vectors. */
int words_open(const void *block, size_t size, size_t room, struct words *ret) MUST_CHECK;
void words_clear(struct words *w);
