#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "runtime/netlink.h"
#include "runtime/parent.h"
#include "syscall/sys.h"

/* Sockets of the container's network namespace; we are back in our own when this returns. */
static int open_inside(int pidfd, int *ret_netlink, int *ret_control)
{
        auto_fd int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), control = -1;
        if (own < 0)
                return -errno;
        int r = sys_setns(pidfd, CLONE_NEWNET);
        if (r < 0)
                return r;
        r = netlink_open(ret_netlink);
        if (r == 0) {
                control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
                r = control < 0 ? -errno : 0;
        }
        int back = sys_setns(own, CLONE_NEWNET);
        if (r == 0)
                *ret_control = take_fd(&control);
        return r < 0 ? r : back;
}

static int find(int control, const char *name, unsigned *ret_index)
{
        struct ifreq req = { 0 };
        snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
        int r = sys_ioctl(control, SIOCGIFINDEX, &req);
        if (r < 0)
                return r;
        *ret_index = (unsigned) req.ifr_ifindex;
        return 0;
}

static bool has_index(int control, unsigned index)
{
        struct ifreq req = { .ifr_ifindex = (int) index };
        return sys_ioctl(control, SIOCGIFNAME, &req) >= 0;
}

/* The kernel keeps the device's number, unless another one has it there. */
static int find_moved(int control, const char *name, unsigned index, unsigned *ret_index)
{
        if (!strchr(name, '%'))
                return find(control, name, ret_index);
        *ret_index = index;
        return has_index(control, index) ? 0 : -ENODEV;
}

static int furnish(int netlink, unsigned index, const struct netlink_addresses *addresses)
{
        int r = 0;
        for (size_t i = 0; r == 0 && i < addresses->n; i++)
                r = netlink_add_address(netlink, index, &addresses->list[i]);
        return r < 0 ? r : netlink_up(netlink, index);
}

/* The kernel takes the addresses of a device away when it changes its namespace. */
int parent_move_net_device(struct session *s, const struct step *step, struct error *err)
{
        const char *device = plan_string(s->plan, s->in, step, 0), *name = plan_string(s->plan, s->in, step, 1);
        auto_fd int ours = -1, inside = -1, control = -1;
        struct netlink_addresses addresses = { 0 };
        unsigned index = if_nametoindex(device), moved = 0;
        if (index == 0)
                return error_set(err, -errno, "linux.netDevices.%s", device);
        int r = netlink_open(&ours);
        if (r == 0)
                r = open_inside(s->pidfd, &inside, &control);
        if (r == 0)
                r = netlink_read_addresses(ours, index, &addresses);
        if (r == -EPERM)
                return error_say(err, r, "linux.netDevices.%s: to move a network device one has to be root where it is (CAP_NET_ADMIN), "
                                 "and over the container's network (CAP_SYS_ADMIN)", device);
        if (r < 0)
                return error_set(err, r, "linux.netDevices.%s: look at it", device);
        if (!strchr(name, '%') && find(control, name, &moved) == 0)
                return error_say(err, -EEXIST, "linux.netDevices.%s: the container's network has a device \"%s\" already",
                                 device, name);
        if (strchr(name, '%') && has_index(control, index))
                return error_say(err, -EEXIST, "linux.netDevices.%s: its number %u is taken in the container's network; "
                                 "give a name without %%d", device, index);
        r = netlink_move(ours, index, s->pid, name);
        if (r < 0)
                return error_set(err, r, "linux.netDevices.%s: move it into the container as \"%s\"", device, name);
        r = find_moved(control, name, index, &moved);
        if (r == 0)
                r = furnish(inside, moved, &addresses);
        return r < 0 ? error_set(err, r, "linux.netDevices.%s: give it its addresses, and set it up", device) : 0;
}
