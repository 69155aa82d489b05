#include "runtime/netlink.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

struct request {
        struct nlmsghdr head;
        union {
                struct ifinfomsg link;
                struct ifaddrmsg address;
        };
        char attributes[256];
};

static struct request request_of(uint16_t type, uint16_t flags, size_t size)
{
        return (struct request){ .head = { .nlmsg_len = (uint32_t) NLMSG_LENGTH(size), .nlmsg_type = type,
                                           .nlmsg_flags = (uint16_t) (NLM_F_REQUEST | flags) } };
}

static int add_attribute(struct request *q, uint16_t type, const void *data, size_t size)
{
        size_t at = NLMSG_ALIGN(q->head.nlmsg_len);
        if (at + RTA_SPACE(size) > sizeof(*q))
                return -EMSGSIZE;
        struct rtattr *a = (struct rtattr *) (void *) ((char *) q + at);
        *a = (struct rtattr){ .rta_len = (uint16_t) RTA_LENGTH(size), .rta_type = type };
        memcpy(RTA_DATA(a), data, size);
        q->head.nlmsg_len = (uint32_t) (at + RTA_LENGTH(size));
        return 0;
}

int netlink_open(int *ret_fd)
{
        auto_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
        struct sockaddr_nl own = { .nl_family = AF_NETLINK };
        if (fd < 0 || bind(fd, (const struct sockaddr *) &own, sizeof(own)) < 0)
                return -errno;
        *ret_fd = take_fd(&fd);
        return 0;
}

static int send_request(int fd, const struct request *q)
{
        const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
        ssize_t n = sendto(fd, q, q->head.nlmsg_len, 0, (const struct sockaddr *) &kernel, sizeof(kernel));
        return n < 0 ? -errno : 0;
}

static ssize_t receive(int fd, void *buf, size_t size)
{
        ssize_t n;
        do
                n = recv(fd, buf, size, 0);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : n;
}

/* One request, and the kernel's yes or no. */
static int ask(int fd, struct request *q)
{
        _Alignas(struct nlmsghdr) char buf[4096];
        q->head.nlmsg_flags |= NLM_F_ACK;
        int r = send_request(fd, q);
        ssize_t n = r < 0 ? r : receive(fd, buf, sizeof(buf));
        if (n < 0)
                return (int) n;
        struct nlmsghdr *h = (void *) buf;
        if (!NLMSG_OK(h, (size_t) n) || h->nlmsg_type != NLMSG_ERROR || h->nlmsg_len < NLMSG_LENGTH(sizeof(int)))
                return -EPROTO;
        return ((const struct nlmsgerr *) NLMSG_DATA(h))->error;
}

/* Labels begin with the name of the device, and lifetimes are of no use: the address is permanent. */
static bool keeps(uint16_t type)
{
        return type == IFA_LOCAL || type == IFA_ADDRESS || type == IFA_BROADCAST || type == IFA_RT_PRIORITY;
}

static int keep_address(struct nlmsghdr *h, unsigned index, struct netlink_addresses *list)
{
        struct ifaddrmsg *m = NLMSG_DATA(h);
        if (h->nlmsg_type != RTM_NEWADDR || h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)) || m->ifa_index != index ||
            !(m->ifa_flags & IFA_F_PERMANENT) || m->ifa_scope != RT_SCOPE_UNIVERSE)
                return 0;
        if (list->n == NETLINK_ADDRESSES_MAX)
                return -E2BIG;
        struct netlink_address *a = &list->list[list->n];
        *a = (struct netlink_address){ .head = *m };
        unsigned left = (unsigned) IFA_PAYLOAD(h);
        for (struct rtattr *at = IFA_RTA(m); RTA_OK(at, left); at = RTA_NEXT(at, left)) {
                if (!keeps(at->rta_type))
                        continue;
                uint32_t space = (uint32_t) RTA_ALIGN(at->rta_len);
                if (a->size + space > sizeof(a->attributes))
                        return -EMSGSIZE;
                memcpy(a->attributes + a->size, at, at->rta_len);
                a->size += space;
        }
        list->n++;
        return 0;
}

int netlink_read_addresses(int fd, unsigned index, struct netlink_addresses *ret)
{
        _Alignas(struct nlmsghdr) char buf[32768];      /* the kernel fills no more at once */
        struct request q = request_of(RTM_GETADDR, NLM_F_DUMP, sizeof(q.address));
        ret->n = 0;
        int r = send_request(fd, &q);
        while (r == 0) {
                ssize_t n = receive(fd, buf, sizeof(buf));
                if (n < 0)
                        return (int) n;
                size_t left = (size_t) n;
                for (struct nlmsghdr *h = (void *) buf; r == 0 && NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
                        if (h->nlmsg_type == NLMSG_DONE)
                                return 0;
                        if (h->nlmsg_type == NLMSG_ERROR)
                                return -EPROTO;
                        r = keep_address(h, index, ret);
                }
        }
        return r;
}

int netlink_add_address(int fd, unsigned index, const struct netlink_address *address)
{
        struct request q = request_of(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, sizeof(q.address));
        q.address = address->head;
        q.address.ifa_index = index;
        q.address.ifa_flags = 0;
        size_t at = NLMSG_ALIGN(q.head.nlmsg_len);
        memcpy((char *) &q + at, address->attributes, address->size);
        q.head.nlmsg_len = (uint32_t) (at + address->size);
        return ask(fd, &q);
}

int netlink_move(int fd, unsigned index, pid_t pid, const char *name)
{
        struct request q = request_of(RTM_NEWLINK, 0, sizeof(q.link));
        uint32_t to = (uint32_t) pid;
        q.link = (struct ifinfomsg){ .ifi_index = (int) index };
        int r = add_attribute(&q, IFLA_NET_NS_PID, &to, sizeof(to));
        if (r == 0)
                r = add_attribute(&q, IFLA_IFNAME, name, strlen(name) + 1);
        return r < 0 ? r : ask(fd, &q);
}

int netlink_up(int fd, unsigned index)
{
        struct request q = request_of(RTM_NEWLINK, 0, sizeof(q.link));
        q.link = (struct ifinfomsg){ .ifi_index = (int) index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
        return ask(fd, &q);
}
