#pragma once
/* choice - the devices of a kind, one by one, and where in the machine they are. */

#include "base/arena.h"
#include "base/error.h"
#include "device/device.h"

#define DEVICE_PCI_SIZE 16

struct device_choice {
        const char *name;               /* qualified */
        char pci[DEVICE_PCI_SIZE];      /* "0000:03:00.0"; "" unknown, or no PCI device */
        const char *adapter;            /* ports of an InfiniBand or RoCE adapter, as UCX calls them: "mlx5_0:1"; NULL: none */
};

/*
 * Names that mean the same device nodes are one choice, and names that mean several
 * of the others ("all") none. "0" comes before "10". Memory of the arena. -ENODEV:
 * there are none, with a sentence, or what is wrong with the CDI files.
 */
int device_choices(struct arena *arena, const char *const *cdi_dirs, const char *kind, struct device_choice **ret,
                   size_t *ret_n, struct error *err) MUST_CHECK;
