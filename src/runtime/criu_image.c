#include "runtime/criu_image.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"
#include "runtime/criu_rpc.h"
#include "runtime/jot.h"

#define DESCRIPTORS_FILE "descriptors.json"
#define DESCRIPTORS_MAX 65536
#define CORE_MAX (64u << 20)

int criu_descriptors_write(int image_fd, pid_t pid, struct error *err)
{
        auto_jot struct jot j = JOT_INIT(0);
        jot_open(&j, NULL, '[');
        for (int fd = 0; fd < 3; fd++) {
                char path[64], to[PATH_MAX];
                snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int) pid, fd);
                ssize_t n = readlink(path, to, sizeof(to) - 1);
                to[n > 0 ? n : 0] = '\0';       /* a stream may be closed */
                jot_text(&j, NULL, to);
        }
        jot_close(&j, ']');
        auto_free char *text = jot_take(&j);
        int r = text ? io_replace_file(image_fd, DESCRIPTORS_FILE, text, strlen(text), 0600) : -ENOMEM;
        return r < 0 ? error_set(err, r, "write " DESCRIPTORS_FILE " to the image path") : 0;
}

int criu_descriptors_put(int image_fd, struct str *opts, struct error *err)
{
        auto_free char *text = NULL;
        int r = io_read_file(image_fd, DESCRIPTORS_FILE, DESCRIPTORS_MAX, &text, NULL);
        if (r < 0 || !text)
                return error_set(err, r, "read " DESCRIPTORS_FILE " in the image path: is there a checkpoint?");
        struct json_object *list = json_tokener_parse(text);
        if (!json_object_is_type(list, json_type_array)) {
                json_object_put(list);
                return error_say(err, -EINVAL, DESCRIPTORS_FILE " in the image path: expected an array");
        }
        for (size_t i = 0; i < 3 && i < json_object_array_length(list); i++) {
                struct json_object *item = json_object_array_get_idx(list, i);
                const char *name = json_object_is_type(item, json_type_string) ? json_object_get_string(item) : "";
                if (strstr(name, "pipe:"))
                        criu_opt_fd(opts, name, (int) i);
        }
        json_object_put(list);
        return 0;
}

/* ---- core-N.img ---- */

static uint32_t little_endian(const uint8_t *at)
{
        return at[0] | (uint32_t) at[1] << 8 | (uint32_t) at[2] << 16 | (uint32_t) at[3] << 24;
}

static void add_size(struct str *out, size_t size)
{
        const char bytes[4] = { (char) size, (char) (size >> 8), (char) (size >> 16), (char) (size >> 24) };
        str_addn(out, bytes, sizeof(bytes));
}

/* Format: criu.org/Images; the numbers are those of core.proto: core_entry.thread_core.pdeath_sig. */
int criu_image_edit(const void *data, size_t size, struct str *out)
{
        static const uint32_t path[] = { 5, 8, 0 };
        const uint8_t *at = data;
        const size_t magic = 2 * sizeof(uint32_t);
        int edited = 0;
        if (size < magic)
                return -EBADMSG;
        str_addn(out, data, magic);
        for (size_t pos = magic; pos < size;) {
                if (size - pos < sizeof(uint32_t))
                        return -EBADMSG;
                uint32_t n = little_endian(at + pos);
                pos += sizeof(uint32_t);
                if (n > size - pos)
                        return -EBADMSG;
                auto_str struct str message = STR_INIT;
                int r = pb_without(at + pos, n, path, SIGKILL, &message);
                if (r < 0)
                        return r;
                edited |= r;
                add_size(out, message.size);
                str_addn(out, message.size ? message.text : "", message.size);
                pos += n;
        }
        return str_failed(out) ? -ENOMEM : edited;
}

int criu_own_pid(pid_t pid, uint32_t *ret, struct error *err)
{
        char path[64];
        auto_free char *text = NULL;
        snprintf(path, sizeof(path), "/proc/%d/status", (int) pid);
        int r = io_read_file(AT_FDCWD, path, 65536, &text, NULL);
        char *line = r == 0 ? strstr(text, "\nNSpid:") : NULL;
        if (line) {
                line++;
                line[strcspn(line, "\n")] = '\0';
                line = strrchr(line, '\t');
        }
        if (r == 0)
                r = line ? parse_u32(line + 1, ret) : -EBADMSG;
        return r < 0 ? error_set(err, r, "find out the number of process %d in its namespace", (int) pid) : 0;
}

int criu_image_stand_alone(int image_fd, uint32_t pid, struct error *err)
{
        char name[64];
        auto_free char *data = NULL;
        auto_str struct str out = STR_INIT;
        size_t size = 0;
        snprintf(name, sizeof(name), "core-%u.img", pid);
        int r = io_read_file(image_fd, name, CORE_MAX, &data, &size);
        if (r == 0)
                r = criu_image_edit(data, size, &out);
        if (r > 0)
                r = io_replace_file(image_fd, name, out.text, out.size, 0644); /* criu's: root in a container reads it */
        return r < 0 ? error_set(err, r, "edit %s in the image path", name) : 0;
}
