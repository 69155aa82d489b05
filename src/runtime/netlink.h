#pragma once
/*
 * netlink - the few words of rtnetlink(7) that moving a network device takes.
 *
 * A socket speaks for the network namespace in which it was opened. All
 * functions return 0 or a negative errno.
 */

#include <linux/rtnetlink.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define NETLINK_ADDRESSES_MAX 64

/* What an address is, besides the device that has it. Room for the longest: IPv6, local and peer. */
struct netlink_address {
        struct ifaddrmsg head;
        uint32_t size;                  /* of the attributes */
        _Alignas(4) char attributes[128];
};

struct netlink_addresses {
        size_t n;
        struct netlink_address list[NETLINK_ADDRESSES_MAX];
};

int netlink_open(int *ret_fd) MUST_CHECK;

/* Permanent addresses of global scope, of any family. -E2BIG: more than NETLINK_ADDRESSES_MAX. */
int netlink_read_addresses(int fd, unsigned index, struct netlink_addresses *ret) MUST_CHECK;

int netlink_add_address(int fd, unsigned index, const struct netlink_address *address) MUST_CHECK;

/* Into the network namespace of `pid`, as `name` ("%d" in it: the kernel counts). */
int netlink_move(int fd, unsigned index, pid_t pid, const char *name) MUST_CHECK;

int netlink_up(int fd, unsigned index) MUST_CHECK;
