#include "spec/sections.h"

#include <errno.h>
#include <string.h>

#include <json-c/json_object.h>

#include "spec/spec.h"

/* Some of the flags of a list, as one number. */
static int read_flag_words(const struct where *at, struct json_object *v, const struct words *words, uint64_t *ret)
{
        size_t n = json_object_array_length(v);
        for (size_t i = 0; i < n; i++) {
                const struct where here = where_index(at, i);
                struct json_object *word = json_object_array_get_idx(v, i);
                uint64_t flag = 0;
                if (json_object_get_type(word) != json_type_string)
                        return where_fail(&here, "expected a string");
                int r = read_word(&here, word, words, &flag);
                if (r < 0)
                        return r;
                *ret |= flag;
        }
        return 0;
}

static int read_u64(const struct where *at, struct json_object *v, void *out)
{
        return read_natural(at, v, INT64_MAX, out);
}

/* ---- process.scheduler ---- */

static int read_policy(const struct where *at, struct json_object *v, void *out)
{
        uint64_t policy = 0;
        int r = read_word(at, v, &words_schedulers, &policy);
        if (r == 0)
                *(uint32_t *) out = (uint32_t) policy;
        return r;
}

static int read_nice(const struct where *at, struct json_object *v, void *out)
{
        int64_t nice = 0;
        int r = read_number(at, v, -20, 19, &nice);
        if (r == 0)
                *(int32_t *) out = (int32_t) nice;
        return r;
}

static int read_rt_priority(const struct where *at, struct json_object *v, void *out)
{
        int64_t priority = 0;
        int r = read_number(at, v, 0, 99, &priority);
        if (r == 0)
                *(uint32_t *) out = (uint32_t) priority;
        return r;
}

static int read_scheduler_flags(const struct where *at, struct json_object *v, void *out)
{
        return read_flag_words(at, v, &words_scheduler_flags, out);
}

/* sched(7), SCHED_DEADLINE; a runtime below 1024 ns is lost in the kernel's arithmetic (kernel/sched/deadline.c). */
static int check_deadline(const struct where *at, const struct spec_scheduler *s)
{
        const struct where runtime = where_key(at, "runtime"), deadline = where_key(at, "deadline");
        if (s->runtime < 1024)
                return where_fail(&runtime, "expected at least 1024 ns for SCHED_DEADLINE, found %llu",
                                  (unsigned long long) s->runtime);
        if (s->deadline < s->runtime)
                return where_fail(&deadline, "expected at least the runtime, %llu ns, found %llu",
                                  (unsigned long long) s->runtime, (unsigned long long) s->deadline);
        if (s->period && s->period < s->deadline)
                return where_fail(&deadline, "expected at most the period, %llu ns, found %llu",
                                  (unsigned long long) s->period, (unsigned long long) s->deadline);
        return 0;
}

/* What the kernel would refuse with no more than "Invalid argument". */
static int check_scheduler(const struct where *at, const struct spec_scheduler *s)
{
        bool realtime = s->policy == SPEC_SCHED_FIFO || s->policy == SPEC_SCHED_RR;
        const struct where priority = where_key(at, "priority"), deadline = where_key(at, "deadline");
        if (realtime && s->priority == 0)
                return where_fail(&priority, "expected a number from 1 to 99 for this policy");
        if (!realtime && s->priority != 0)
                return where_fail(&priority, "only SCHED_FIFO and SCHED_RR have one");
        bool deadlines = s->runtime || s->deadline || s->period;
        if (deadlines && s->policy != SPEC_SCHED_DEADLINE)
                return where_fail(&deadline, "only SCHED_DEADLINE has a runtime, a deadline and a period");
        return s->policy == SPEC_SCHED_DEADLINE ? check_deadline(at, s) : 0;
}

int read_scheduler(const struct where *at, struct json_object *v, void *out)
{
        static const struct field fields[] = {
                { "policy", WANT_STRING, REQUIRED, read_policy, offsetof(struct spec_scheduler, policy) },
                { "nice", WANT_NUMBER, OPTIONAL, read_nice, offsetof(struct spec_scheduler, nice) },
                { "priority", WANT_NUMBER, OPTIONAL, read_rt_priority, offsetof(struct spec_scheduler, priority) },
                { "flags", WANT_ARRAY, OPTIONAL, read_scheduler_flags, offsetof(struct spec_scheduler, flags) },
                { "runtime", WANT_NUMBER, OPTIONAL, read_u64, offsetof(struct spec_scheduler, runtime) },
                { "deadline", WANT_NUMBER, OPTIONAL, read_u64, offsetof(struct spec_scheduler, deadline) },
                { "period", WANT_NUMBER, OPTIONAL, read_u64, offsetof(struct spec_scheduler, period) },
        };
        struct spec_scheduler *s = out;
        if (means_nothing(v))
                return 0;
        int r = read_fields(at, v, fields, COUNT(fields), s);
        s->wanted = r == 0;
        return r < 0 ? r : check_scheduler(at, s);
}

/* ---- process.ioPriority ---- */

struct io_priority {
        uint64_t class;
        int64_t level;
};

static int read_io_class(const struct where *at, struct json_object *v, void *out)
{
        return read_word(at, v, &words_io_classes, out);
}

static int read_io_level(const struct where *at, struct json_object *v, void *out)
{
        return read_number(at, v, 0, 7, out);
}

int read_io_priority(const struct where *at, struct json_object *v, void *out)
{
        static const struct field fields[] = {
                { "class", WANT_STRING, REQUIRED, read_io_class, offsetof(struct io_priority, class) },
                { "priority", WANT_NUMBER, OPTIONAL, read_io_level, offsetof(struct io_priority, level) },
        };
        struct io_priority io = { 0 };
        if (means_nothing(v))
                return 0;
        int r = read_fields(at, v, fields, COUNT(fields), &io);
        if (r == 0)
                *(struct spec_io_priority *) out =
                        (struct spec_io_priority){ true, (uint8_t) io.class, (uint8_t) io.level };
        return r;
}

/* ---- process.execCPUAffinity, linux.memoryPolicy ---- */

static int read_ids(const struct where *at, struct json_object *v, void *out)
{
        const char *s = json_object_get_string(v);
        int r = id_list_parse(s, at->reader->arena, out);
        if (r == -ENOMEM)
                return where_no_memory(at);
        if (r == -ERANGE)
                return where_fail(at, "a number above %d in %s", ID_LIST_MAX - 1, quoted(s).text);
        return r < 0 ? where_fail(at, "expected a list such as \"0-3,7\", found %s", quoted(s).text) : 0;
}

int read_exec_affinity(const struct where *at, struct json_object *v, void *out)
{
        static const struct field fields[] = {
                { "initial", WANT_STRING, OPTIONAL, read_ids, offsetof(struct spec_exec_affinity, initial) },
                { "final", WANT_STRING, OPTIONAL, read_ids, offsetof(struct spec_exec_affinity, final) },
        };
        return read_fields(at, v, fields, COUNT(fields), out);
}

static int read_memory_nodes(const struct where *at, struct json_object *v, void *out)
{
        const char *s = json_object_get_string(v);
        int r = id_list_parse(s, at->reader->arena, out);
        if (r == -ENOMEM)
                return where_no_memory(at);
        if (r == -ERANGE)
                return where_fail(at, "invalid memory policy node: a number above %d in %s", ID_LIST_MAX - 1, quoted(s).text);
        return r < 0 ? where_fail(at, "invalid memory policy node: expected a list such as \"0-3,7\", found %s",
                                  quoted(s).text) : 0;
}

static int read_memory_mode(const struct where *at, struct json_object *v, void *out)
{
        uint64_t mode = 0;
        int r = read_word(at, v, &words_memory_modes, &mode);
        if (r == 0)
                *(uint32_t *) out = (uint32_t) mode;
        return r;
}

static int read_memory_flags(const struct where *at, struct json_object *v, void *out)
{
        uint64_t flags = 0;
        int r = read_flag_words(at, v, &words_memory_flags, &flags);
        if (r == 0)
                *(uint32_t *) out = (uint32_t) flags;
        return r;
}

static size_t count_ids(const struct id_set *set)
{
        size_t n = 0;
        for (size_t i = 0; i < set->size / sizeof(*set->words); i++)
                n += (size_t) __builtin_popcountll(set->words[i]);
        return n;
}

/* set_mempolicy(2) says "Invalid argument" to all of these. */
static int check_memory_policy(const struct where *at, const struct spec_memory_policy *p)
{
        const struct where nodes = where_key(at, "nodes"), flags = where_key(at, "flags");
        bool none = p->mode == SPEC_MPOL_DEFAULT || p->mode == SPEC_MPOL_LOCAL;
        if (none && p->nodes.size > 0)
                return where_fail(&nodes, "mode requires 0 nodes but got %zu (MPOL_DEFAULT and MPOL_LOCAL take none)",
                                  count_ids(&p->nodes));
        if (!none && p->mode != SPEC_MPOL_PREFERRED && p->nodes.size == 0)
                return where_fail(&nodes, "missing, this mode needs at least one");
        if (none && p->flags)
                return where_fail(&flags, "MPOL_DEFAULT and MPOL_LOCAL take no flags");
        return 0;
}

int read_memory_policy(const struct where *at, struct json_object *v, void *out)
{
        static const struct field fields[] = {
                { "mode", WANT_STRING, OPTIONAL, read_memory_mode, offsetof(struct spec_memory_policy, mode) },
                { "nodes", WANT_STRING, OPTIONAL, read_memory_nodes, offsetof(struct spec_memory_policy, nodes) },
                { "flags", WANT_ARRAY, OPTIONAL, read_memory_flags, offsetof(struct spec_memory_policy, flags) },
        };
        struct spec_memory_policy *p = out;
        struct json_object *mode = NULL;
        if (!json_object_object_get_ex(v, "mode", &mode) || !mode) {
                const struct where here = where_key(at, "mode");
                return where_fail(&here, "missing or invalid memory policy mode");
        }
        int r = read_fields(at, v, fields, COUNT(fields), p);
        p->wanted = r == 0;
        return r < 0 ? r : check_memory_policy(at, p);
}
