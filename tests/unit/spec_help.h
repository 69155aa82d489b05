#pragma once
/* What the tests of spec/ share. In their JSON, ' stands for ". */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "spec/read.h"

#define COUNT_OF(a) (sizeof(a) / sizeof(*(a)))

/* A config around a part: everything that is required, and nothing else. */
#define CONFIG(part) "{'ociVersion':'1.0.2','root':{'path':'rootfs'}" part "}"
#define PROCESS(part) CONFIG(",'process':{'cwd':'/','args':['sh']" part "}")
#define LINUX(part) CONFIG(",'linux':{'namespaces':[{'type':'mount'},{'type':'uts'}]" part "}")
#define RESOURCES(part) LINUX(",'resources':{" part "}")
#define SECCOMP(part) LINUX(",'seccomp':{" part "}")
#define MOUNT(part) LINUX("},'mounts':[{" part "}],'annotations':{")
#define HOOK(part) CONFIG(",'hooks':{'prestart':[{" part "}]}")

static inline char *quotes(const char *text)
{
        char *copy = strdup(text);
        assert_non_null(copy);
        for (char *p = copy; *p; p++)
                if (*p == '\'')
                        *p = '"';
        return copy;
}

typedef int read_text_fn(const char *text, size_t size, const char *name, struct spec **ret_spec, struct error *err);

static inline struct spec *read_good_with(read_text_fn *read, const char *text)
{
        auto_free char *json = quotes(text);
        struct spec *spec = NULL;
        struct error err = ERROR_INIT;
        int r = read(json, strlen(json), "config.json", &spec, &err);
        if (r < 0)
                print_error("%s\n", err.text);
        assert_int_equal(r, 0);
        assert_non_null(spec);
        assert_string_equal(err.text, "");
        return spec;
}

static inline struct spec *read_good(const char *text)
{
        return read_good_with(spec_read_text, text);
}

static inline void read_bad_with(read_text_fn *read, const char *text, const char *sentence)
{
        auto_free char *json = quotes(text), *want = quotes(sentence);
        struct spec *spec = NULL;
        struct error err = ERROR_INIT;
        int r = read(json, strlen(json), "config.json", &spec, &err);
        if (r != -EINVAL || strcmp(err.text, want) != 0)
                print_error("for  %s\ngot  %s\nwant %s\n", json, err.text, want);
        assert_int_equal(r, -EINVAL);
        assert_int_equal(err.code, -EINVAL);
        assert_null(spec);
        assert_string_equal(err.text, want);
}
