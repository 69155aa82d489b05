#include "runtime/criu_pb.h"

#include <errno.h>
#include <string.h>

#define VARINT_MAX 10
#define NESTING_MAX 8

static void put_varint(struct str *out, uint64_t value)
{
        char bytes[VARINT_MAX];
        size_t n = 0;
        do {
                bytes[n] = (char) (value & 0x7f);
                value >>= 7;
                if (value)
                        bytes[n] = (char) (bytes[n] | 0x80);
                n++;
        } while (value);
        str_addn(out, bytes, n);
}

static void put_tag(struct str *out, uint32_t field, enum pb_wire wire)
{
        put_varint(out, (uint64_t) field << 3 | (unsigned) wire);
}

void pb_number(struct str *out, uint32_t field, int64_t value)
{
        put_tag(out, field, PB_VARINT);
        put_varint(out, (uint64_t) value);
}

void pb_bytes(struct str *out, uint32_t field, const void *data, size_t size)
{
        put_tag(out, field, PB_BYTES);
        put_varint(out, size);
        str_addn(out, size ? data : "", size);
}

void pb_text(struct str *out, uint32_t field, const char *text)
{
        if (text)
                pb_bytes(out, field, text, strlen(text));
}

void pb_message(struct str *out, uint32_t field, const struct str *message)
{
        pb_bytes(out, field, message->text, message->size);
        out->failed = out->failed || message->failed;
}

/* ---- reading ---- */

static int get_varint(struct pb_reader *in, uint64_t *ret)
{
        uint64_t value = 0;
        for (unsigned i = 0; i < VARINT_MAX && i < in->left; i++) {
                uint64_t bits = in->at[i] & 0x7f;
                /* The tenth byte holds the last of 64 bits. */
                if (i == VARINT_MAX - 1 && bits > 1)
                        return -EBADMSG;
                value |= bits << (7 * i);
                if (in->at[i] & 0x80)
                        continue;
                in->at += i + 1;
                in->left -= i + 1;
                *ret = value;
                return 0;
        }
        return -EBADMSG;
}

static int get_fixed(struct pb_reader *in, unsigned n, uint64_t *ret)
{
        if (in->left < n)
                return -EBADMSG;
        uint64_t value = 0;
        for (unsigned i = 0; i < n; i++)
                value |= (uint64_t) in->at[i] << (8 * i);
        in->at += n;
        in->left -= n;
        *ret = value;
        return 0;
}

static int get_bytes(struct pb_reader *in, struct pb_field *f)
{
        uint64_t size;
        int r = get_varint(in, &size);
        if (r < 0 || size > in->left)
                return -EBADMSG;
        f->data = in->at;
        f->size = (size_t) size;
        in->at += f->size;
        in->left -= f->size;
        return 0;
}

int pb_next(struct pb_reader *in, struct pb_field *ret)
{
        struct pb_field f = { .begin = in->at, .data = (const uint8_t *) "" };
        uint64_t tag;
        if (in->left == 0)
                return 0;
        int r = get_varint(in, &tag);
        if (r < 0 || tag >> 3 == 0 || tag >> 3 > UINT32_MAX >> 3)
                return -EBADMSG;
        f.number = (uint32_t) (tag >> 3);
        f.wire = (enum pb_wire) (tag & 7);
        switch (f.wire) {
        case PB_VARINT:
                r = get_varint(in, &f.value);
                break;
        case PB_FIXED64:
                r = get_fixed(in, 8, &f.value);
                break;
        case PB_FIXED32:
                r = get_fixed(in, 4, &f.value);
                break;
        case PB_BYTES:
                r = get_bytes(in, &f);
                break;
        default:        /* groups, which proto2 has given up */
                r = -EBADMSG;
        }
        if (r < 0)
                return r;
        *ret = f;
        return 1;
}

void pb_copy_text(const struct pb_field *field, char *buf, size_t size)
{
        size_t n = field->size < size - 1 ? field->size : size - 1;
        for (size_t i = 0; i < n; i++)
                buf[i] = field->data[i] < 0x20 || field->data[i] == 0x7f ? ' ' : (char) field->data[i];
        buf[n] = '\0';
        while (n > 0 && buf[n - 1] == ' ')
                buf[--n] = '\0';
}

static int copy_without(struct pb_reader in, const uint32_t *path, uint64_t value, struct str *out, unsigned nesting)
{
        struct pb_field f;
        int left_out = 0, r;
        if (nesting > NESTING_MAX)
                return -EBADMSG;
        while ((r = pb_next(&in, &f)) > 0) {
                bool last = path[1] == 0;
                if (f.number == path[0] && last && f.wire == PB_VARINT && f.value == value) {
                        left_out = 1;
                        continue;
                }
                if (f.number != path[0] || last || f.wire != PB_BYTES) {
                        str_addn(out, (const char *) f.begin, (size_t) (in.at - f.begin));
                        continue;
                }
                auto_str struct str inner = STR_INIT;
                r = copy_without((struct pb_reader){ f.data, f.size }, path + 1, value, &inner, nesting + 1);
                if (r < 0)
                        return r;
                left_out |= r;
                pb_message(out, f.number, &inner);
        }
        return r < 0 ? r : left_out;
}

int pb_without(const void *data, size_t size, const uint32_t *path, uint64_t value, struct str *out)
{
        int r = copy_without((struct pb_reader){ data, size }, path, value, out, 0);
        return r >= 0 && str_failed(out) ? -ENOMEM : r;
}
