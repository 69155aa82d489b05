#pragma once
/*
 * criu_pb - the few words of protobuf's wire format that criu's RPC needs. Pure.
 *
 * A message is a sequence of fields; a field is a varint of (number << 3 | wire
 * type) and a value. Messages inside messages are fields of bytes. Source:
 * https://protobuf.dev/programming-guides/encoding/
 *
 *      auto_str struct str out = STR_INIT;
 *      pb_number(&out, 1, 7);
 *      pb_text(&out, 2, "box");                // str_failed(&out): out of memory
 *
 *      struct pb_reader in = { data, size };
 *      struct pb_field f;
 *      while ((r = pb_next(&in, &f)) > 0)      // -EBADMSG: no message
 *              if (f.number == 1) ...
 */

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* ---- writing ---- */

/* A negative number is what it is as int64_t: ten bytes, as protobuf has it for int32 too. */
void pb_number(struct str *out, uint32_t field, int64_t value);
void pb_bytes(struct str *out, uint32_t field, const void *data, size_t size);
/* NULL: the field is left out. */
void pb_text(struct str *out, uint32_t field, const char *text);
/* A message that was written into a str of its own; its failure is passed on. */
void pb_message(struct str *out, uint32_t field, const struct str *message);

/* ---- reading ---- */

enum pb_wire { PB_VARINT = 0, PB_FIXED64 = 1, PB_BYTES = 2, PB_FIXED32 = 5 };

struct pb_reader {
        const uint8_t *at;
        size_t left;
};

struct pb_field {
        uint32_t number;
        enum pb_wire wire;
        uint64_t value;         /* PB_VARINT, PB_FIXED* */
        const uint8_t *data;    /* PB_BYTES: inside the message; never NULL */
        size_t size;
        const uint8_t *begin;   /* of the whole field, its tag included; it ends where the reader stands */
};

/* The next field: 1, 0 at the end, -EBADMSG for what no message holds. */
int pb_next(struct pb_reader *in, struct pb_field *ret) MUST_CHECK;

/* The bytes as text in a fixed buffer: cut off, without control characters, always terminated. */
void pb_copy_text(const struct pb_field *field, char *buf, size_t size);

/*
 * Copy a message without one field of it: `path` leads there through the messages inside, and ends with 0.
 * Only a number equal to `value` is left out. 1 if something was; 0: `out` is a plain copy; -EBADMSG.
 */
int pb_without(const void *data, size_t size, const uint32_t *path, uint64_t value, struct str *out) MUST_CHECK;
