#include "spec/spec.h"

#include <linux/sched.h>
#include <string.h>

const char *const ns_names[NS_TYPES] = {
        [NS_USER] = "user", [NS_PID] = "pid",         [NS_MOUNT] = "mount",   [NS_UTS] = "uts",
        [NS_IPC] = "ipc",   [NS_NETWORK] = "network", [NS_CGROUP] = "cgroup", [NS_TIME] = "time",
};

const uint64_t ns_clone_flags[NS_TYPES] = {
        [NS_USER] = CLONE_NEWUSER, [NS_PID] = CLONE_NEWPID,     [NS_MOUNT] = CLONE_NEWNS,
        [NS_UTS] = CLONE_NEWUTS,   [NS_IPC] = CLONE_NEWIPC,     [NS_NETWORK] = CLONE_NEWNET,
        [NS_CGROUP] = CLONE_NEWCGROUP, [NS_TIME] = CLONE_NEWTIME,
};

const char *const hook_names[HOOK_KINDS] = {
        [HOOK_PRESTART] = "prestart",
        [HOOK_CREATE_RUNTIME] = "createRuntime",
        [HOOK_CREATE_CONTAINER] = "createContainer",
        [HOOK_START_CONTAINER] = "startContainer",
        [HOOK_POSTSTART] = "poststart",
        [HOOK_POSTSTOP] = "poststop",
};

const char *spec_annotation(const struct spec_annotation *list, size_t n, const char *key)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(list[i].key, key) == 0)
                        return list[i].value;
        return NULL;
}

bool spec_annotation_on(const struct spec_annotation *list, size_t n, const char *key)
{
        const char *value = spec_annotation(list, n, key);
        return value && strcmp(value, "0") != 0 && strcmp(value, "false") != 0;
}

void spec_free(struct spec *spec)
{
        if (spec)
                arena_free(spec->arena);        /* the spec itself lives there too */
}
