#pragma once
/*
 * place - a container's place, if somebody asks for one: on the command line, or by the
 * annotation "io.berth.placement".
 *
 * What the words mean is found out by a program of the launcher's that has hwloc
 * (launcher/place_one.h), started only then: `berth` itself is without it. The result
 * becomes properties of the config (linux.resources.cpu, linux.memoryPolicy), so that
 * cgroup drivers, `update` and `exec` treat it as if the config had said it.
 */

#include "host/host.h"
#include "plan/compile.h"
#include "spec/place_words.h"

struct place_options {
        struct place_words words;       /* of the command line */
        const char *helper;             /* the program; NULL: none, and nobody can be placed */
};

struct place_config {
        char *text;                     /* malloc()ed */
        size_t size;
        struct spec *spec;              /* read from it */
        struct id_set cpus;             /* what to bind to, in the spec's arena; none: nothing */
};

/*
 * A new container: if somebody asks, the config is replaced, and `cpus` set. A cpuset is made where there is one to be
 * had without moving the cgroup elsewhere; of the wish its cgroup counts, and its id. -EINVAL with one line: what cannot
 * be met, and what was allowed.
 */
int place_config(const struct place_options *options, const struct host *host, const struct wish *wish,
                 struct place_config *config, struct error *err) MUST_CHECK;

/*
 * A further process in a container with this config: `spec->process` and its memory policy are changed. Without words
 * it goes where the container is, if no cpuset keeps it there.
 */
int place_process(const struct place_options *options, struct spec *spec, struct error *err) MUST_CHECK;
