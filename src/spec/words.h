#pragma once
/*
 * words - the names that config.json uses for numbers.
 *
 * One table per kind of name. Reading, errors ("one of ...") and `features`
 * look at the same rows.
 */

#include <stddef.h>
#include <stdint.h>

struct word {
        const char *text;
        uint64_t value;
};

struct words {
        const char *noun;               /* what such a word is called in an error */
        const struct word *list;
        size_t n;
};

/* NULL: not in the list. */
const struct word *word_find(const struct words *words, const char *text);

extern const struct words words_namespaces;     /* enum ns_type */
extern const struct words words_rlimits;        /* RLIMIT_* */
extern const struct words words_propagation;    /* MS_SHARED, ... with MS_REC */
extern const struct words words_schedulers;     /* enum spec_sched */
extern const struct words words_scheduler_flags; /* SCHED_FLAG_* */
extern const struct words words_io_classes;     /* IOPRIO_CLASS_* */
extern const struct words words_memory_modes;   /* enum spec_mpol */
extern const struct words words_memory_flags;   /* MPOL_F_* */
extern const struct words words_filter_actions; /* SCMP_ACT_* -> SECCOMP_RET_* */
extern const struct words words_filter_ops;     /* SCMP_CMP_* -> enum seccomp_op */
extern const struct words words_filter_flags;   /* SECCOMP_FILTER_FLAG_* */
extern const struct words words_filter_archs;   /* SCMP_ARCH_*; the value means nothing */

/* The kernel's capabilities by number: "CAP_CHOWN", ... */
#define CAPABILITIES 41
extern const char *const capability_words[CAPABILITIES];

/* The number of a capability by its name, in any case of letters; -1: unknown. */
int capability_number(const char *name);
