#include "spec/path_clean.h"

#include <string.h>

char *path_clean(struct arena *arena, const char *path)
{
        char *clean = arena_alloc(arena, strlen(path) + 2, 1);
        if (!clean)
                return NULL;

        size_t n = 0;           /* "/a/b": every component with the slash before it */
        for (const char *p = path; *p;) {
                size_t len = strcspn(p, "/");
                if (len == 2 && p[0] == '.' && p[1] == '.') {
                        while (n > 0 && clean[--n] != '/')
                                ;
                } else if (len > 0 && !(len == 1 && p[0] == '.')) {
                        clean[n++] = '/';
                        memcpy(clean + n, p, len);
                        n += len;
                }
                p += len;
                p += *p == '/';
        }
        if (n == 0)
                clean[n++] = '/';
        clean[n] = '\0';
        return clean;
}
