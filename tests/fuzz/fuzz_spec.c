/* Any text is a spec, or a sentence why not. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "spec/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef int read_text_fn(const char *text, size_t size, const char *name, struct spec **ret_spec, struct error *err);

static void read_one(read_text_fn *read, const char *text, size_t size)
{
        struct error err = ERROR_INIT;
        auto_spec struct spec *spec = NULL;
        int r = read(text, size, "f", &spec, &err);
        if (r > 0 || (r == 0) != (spec != NULL) || (r < 0) != (err.text[0] != '\0'))
                abort();
        if (spec && r == 0 && read == spec_read_text && spec_validate(spec, NULL) < 0)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *text = (const char *) data;
        read_one(spec_read_text, text, size);
        read_one(spec_read_process, text, size);
        read_one(spec_read_resources, text, size);
        return 0;
}
