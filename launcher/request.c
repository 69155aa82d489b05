#include "launcher/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

#define PARTS (SLOT_COUNT + 1)

struct head {
        uint32_t kind, rank, pattern, unused;
        uint32_t size[PARTS];
};
_Static_assert(sizeof(struct head) % 8 == 0, "parts are aligned: masks are words");

static size_t aligned(size_t n)
{
        return (n + 7) & ~(size_t) 7;
}

long request_encode(const struct request *r, void *buf, size_t room)
{
        struct head head = { .kind = RECORD_RANK, .rank = r->rank, .pattern = r->pattern };
        size_t at = sizeof(head);
        for (size_t i = 0; i < PARTS; i++) {
                const struct plan_bytes *part = i < SLOT_COUNT ? &r->slot[i] : &r->env;
                if (part->size > room || aligned(part->size) > room - at)
                        return -EMSGSIZE;
                head.size[i] = (uint32_t) part->size;
                if (part->size)
                        memcpy((char *) buf + at, part->data, part->size);
                memset((char *) buf + at + part->size, 0, aligned(part->size) - part->size);
                at += aligned(part->size);
        }
        memcpy(buf, &head, sizeof(head));
        return (long) at;
}

int request_decode(const void *record, size_t size, struct request *ret)
{
        struct head head;
        if (size < sizeof(head))
                return -EPROTO;
        memcpy(&head, record, sizeof(head));
        if (head.kind != RECORD_RANK)
                return -EPROTO;

        struct request r = { .rank = head.rank, .pattern = head.pattern };
        size_t at = sizeof(head);
        for (size_t i = 0; i < PARTS; i++) {
                struct plan_bytes *part = i < SLOT_COUNT ? &r.slot[i] : &r.env;
                if (head.size[i] > size || aligned(head.size[i]) > size - at)
                        return -EPROTO;
                *part = (struct plan_bytes){ (const char *) record + at, head.size[i] };
                at += aligned(head.size[i]);
        }
        if (at != size || (r.env.size && ((const char *) r.env.data)[r.env.size - 1] != '\0'))
                return -EPROTO;
        *ret = r;
        return 0;
}

size_t reply_size(const struct reply *r)
{
        return offsetof(struct reply, text) + strlen(r->text) + 1;
}

int words_pack(const char *const *argv, const char *const *envp, void **ret_block, size_t *ret_size)
{
        auto_str struct str s = STR_INIT;
        uint32_t count[2] = { (uint32_t) strv_len(argv), (uint32_t) strv_len(envp) };
        str_addn(&s, (const char *) count, sizeof(count));
        for (size_t i = 0; i < count[0]; i++)
                str_addn(&s, argv[i], strlen(argv[i]) + 1);
        for (size_t i = 0; i < count[1]; i++)
                str_addn(&s, envp[i], strlen(envp[i]) + 1);
        size_t size = s.size;
        void *block = str_take(&s);
        if (!block)
                return -ENOMEM;
        *ret_block = block;
        *ret_size = size;
        return 0;
}

static int take_strings(const char **at, const char *end, const char **v, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                const char *zero = memchr(*at, '\0', (size_t) (end - *at));
                if (!zero)
                        return -EPROTO;
                v[i] = *at;
                *at = zero + 1;
        }
        v[n] = NULL;
        return 0;
}

int words_open(const void *block, size_t size, size_t room, struct words *ret)
{
        uint32_t count[2];
        if (size < sizeof(count))
                return -EPROTO;
        memcpy(count, block, sizeof(count));
        if (count[0] > size || count[1] > size)
                return -EPROTO;
        auto_free const char **argv = calloc(count[0] + 1, sizeof(*argv));
        auto_free const char **envp = calloc(count[1] + room + 1, sizeof(*envp));
        if (!argv || !envp)
                return -ENOMEM;
        const char *at = (const char *) block + sizeof(count), *end = (const char *) block + size;
        if (take_strings(&at, end, argv, count[0]) < 0 || take_strings(&at, end, envp, count[1]) < 0)
                return -EPROTO;
        *ret = (struct words){ take_ptr(&argv), take_ptr(&envp), count[1] };
        return 0;
}

void words_clear(struct words *w)
{
        free(w->argv);
        free(w->envp);
        *w = (struct words){ 0 };
}
