#include "runtime/criu_rpc.h"

#include <errno.h>
#include <limits.h>

/* Fields of the messages in which options and answers are wrapped; the names are those of rpc.proto. */
enum { REQ_TYPE = 1, REQ_OPTS = 2, REQ_NOTIFY_SUCCESS = 3, REQ_FEATURES = 5 };
enum { RESP_TYPE = 1, RESP_SUCCESS = 2, RESP_RESTORE = 4, RESP_NOTIFY = 5, RESP_ERRNO = 7, RESP_FEATURES = 8,
       RESP_ERRMSG = 9, RESP_VERSION = 10 };
enum { NOTIFY_SCRIPT = 1, NOTIFY_PID = 2, RESTORE_PID = 1 };
enum { VERSION_MAJOR = 1, VERSION_MINOR = 2, VERSION_SUBLEVEL = 4 };

void criu_opt_pair(struct str *opts, enum criu_option field, const char *first, const char *second)
{
        auto_str struct str m = STR_INIT;
        pb_text(&m, 1, first);
        pb_text(&m, 2, second);
        pb_message(opts, field, &m);
}

void criu_opt_fd(struct str *opts, const char *key, int fd)
{
        auto_str struct str m = STR_INIT;
        pb_text(&m, 1, key);
        pb_number(&m, 2, fd);
        pb_message(opts, CRIU_INHERIT_FD, &m);
}

void criu_opt_page_server(struct str *opts, const char *address, uint32_t port)
{
        auto_str struct str m = STR_INIT;
        pb_text(&m, 1, address);
        pb_number(&m, 2, port);
        pb_message(opts, CRIU_PAGE_SERVER, &m);
}

void criu_request(enum criu_type type, const struct str *opts, struct str *ret)
{
        pb_number(ret, REQ_TYPE, type);
        if (opts)
                pb_message(ret, REQ_OPTS, opts);
}

void criu_request_feature(enum criu_feature feature, struct str *ret)
{
        auto_str struct str m = STR_INIT;
        pb_number(&m, feature, true);
        pb_number(ret, REQ_TYPE, CRIU_FEATURE_CHECK);
        pb_message(ret, REQ_FEATURES, &m);
}

void criu_request_go_on(struct str *ret)
{
        pb_number(ret, REQ_TYPE, CRIU_NOTIFY);
        pb_number(ret, REQ_NOTIFY_SUCCESS, true);
}

/* ---- responses ---- */

typedef void take_field(const struct pb_field *f, struct criu_response *ret);

static int each_field(const void *data, size_t size, take_field *take, struct criu_response *ret)
{
        struct pb_reader in = { data, size };
        struct pb_field f;
        int r;
        while ((r = pb_next(&in, &f)) > 0)
                take(&f, ret);
        return r;
}

static bool is_number(const struct pb_field *f, uint32_t number)
{
        return f->number == number && f->wire == PB_VARINT;
}

/* A pid that no kernel gives is none. */
static pid_t pid_of(const struct pb_field *f)
{
        return f->value > 0 && f->value <= INT_MAX ? (pid_t) f->value : 0;
}

static void take_notify(const struct pb_field *f, struct criu_response *ret)
{
        if (f->number == NOTIFY_SCRIPT && f->wire == PB_BYTES)
                pb_copy_text(f, ret->script, sizeof(ret->script));
        else if (is_number(f, NOTIFY_PID))
                ret->pid = pid_of(f);
}

static void take_restore(const struct pb_field *f, struct criu_response *ret)
{
        if (is_number(f, RESTORE_PID))
                ret->pid = pid_of(f);
}

static void take_feature(const struct pb_field *f, struct criu_response *ret)
{
        if (f->wire == PB_VARINT && f->number < sizeof(ret->has_feature) / sizeof(*ret->has_feature))
                ret->has_feature[f->number] = f->value != 0;
}

static void take_version(const struct pb_field *f, struct criu_response *ret)
{
        unsigned part = f->value < 100 ? (unsigned) f->value : 99;
        if (is_number(f, VERSION_MAJOR))
                ret->version += 10000 * part;
        else if (is_number(f, VERSION_MINOR))
                ret->version += 100 * part;
        else if (is_number(f, VERSION_SUBLEVEL))
                ret->version += part;
}

static take_field *const messages[] = {
        [RESP_RESTORE] = take_restore,
        [RESP_NOTIFY] = take_notify,
        [RESP_FEATURES] = take_feature,
        [RESP_VERSION] = take_version,
};

static int take_message(const struct pb_field *f, struct criu_response *ret)
{
        if (f->number < sizeof(messages) / sizeof(*messages) && messages[f->number])
                return each_field(f->data, f->size, messages[f->number], ret);
        if (f->number == RESP_ERRMSG)
                pb_copy_text(f, ret->errmsg, sizeof(ret->errmsg));
        return 0;
}

struct seen {
        bool type, success;
};

static void take_number(const struct pb_field *f, struct criu_response *ret, struct seen *seen)
{
        if (is_number(f, RESP_TYPE) && f->value <= INT_MAX) {
                ret->type = (enum criu_type) f->value;
                seen->type = true;
        } else if (is_number(f, RESP_SUCCESS)) {
                ret->success = f->value != 0;
                seen->success = true;
        } else if (is_number(f, RESP_ERRNO)) {
                ret->cr_errno = (int) (int64_t) f->value;
        }
}

int criu_response_parse(const void *data, size_t size, struct criu_response *ret)
{
        struct criu_response resp = { 0 };
        struct pb_reader in = { data, size };
        struct pb_field f;
        struct seen seen = { 0 };
        int r;
        while ((r = pb_next(&in, &f)) > 0) {
                if (f.wire != PB_BYTES)
                        take_number(&f, &resp, &seen);
                else if (take_message(&f, &resp) < 0)
                        return -EBADMSG;
        }
        if (r < 0 || !seen.type || !seen.success)
                return -EBADMSG;
        *ret = resp;
        return 0;
}
