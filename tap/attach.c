/* SPDX-License-Identifier: ISC */
/*
 * Attaching to a tap by ioctl. Three ways lead to one: an existing persistent tap that belongs to the user, a
 * new one as root, a new one in a network namespace of one's own (unshare -Urn). A tap that is created here is
 * also brought up and given the other end's address, since nobody else could know of it; one that existed is
 * left as its owner set it up.
 *
 * Each refusal of the kernel is turned into one line that says what to do.
 */
#include "attach.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wisp/addr.h>

struct reason {
    char *text;
    size_t size;
};

__attribute__((format(printf, 2, 3))) static bool refuse(struct reason why, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why.text, why.size, format, args);
    va_end(args);
    return false;
}

static bool refuse_open(struct reason why)
{
    switch (errno) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
        return refuse(why, "no /dev/net/tun here: load the driver with `modprobe tun`");
    case EACCES:
    case EPERM:
        return refuse(why, "/dev/net/tun may not be opened: run as root, or "
                           "`sudo chmod 666 /dev/net/tun` (taps stay protected)");
    default:
        return refuse(why, "/dev/net/tun: %s", strerror(errno));
    }
}

static bool refuse_attach(struct reason why, const char *name)
{
    switch (errno) {
    case EPERM:
    case EACCES:
        return refuse(why,
                      "tap %s may not be used: make it once with `sudo ip tuntap add %s mode tap "
                      "user $USER vnet_hdr`, or run inside `unshare -Urn`",
                      name, name);
    case EBUSY:
        return refuse(why,
                      "tap %s is in use by another program: end that, or choose another --tap=NAME",
                      name);
    case EINVAL:
        return refuse(why, "%s is there and is no tap of this kind: choose another --tap=NAME",
                      name);
    default:
        return refuse(why, "tap %s: %s", name, strerror(errno));
    }
}

static void named(struct ifreq *request, const char *name)
{
    memset(request, 0, sizeof(*request));
    strncpy(request->ifr_name, name, IFNAMSIZ - 1);
}

static bool name_usable(const char *name, struct reason why)
{
    size_t length = strlen(name);
    if (length == 0 || length >= IFNAMSIZ || strpbrk(name, "/ \t%:") || strcmp(name, ".") == 0 ||
        strcmp(name, "..") == 0) {
        return refuse(why,
                      "--tap=%s: a name has 1 to %d characters, without spaces, '/', ':' and '%%'",
                      name, IFNAMSIZ - 1);
    }
    return true;
}

static bool set_address(int fd, const char *name, const char *host)
{
    struct wisp_ip4 ip;
    uint8_t prefix;
    if (!wisp_ip4_parse_prefix(host, strlen(host), &ip, &prefix)) {
        errno = EINVAL;
        return false;
    }
    struct ifreq request;
    struct sockaddr_in in = {.sin_family = AF_INET};
    named(&request, name);
    memcpy(&in.sin_addr, ip.octet, sizeof(ip.octet));
    memcpy(&request.ifr_addr, &in, sizeof(in));
    if (ioctl(fd, SIOCSIFADDR, &request) < 0) {
        return false;
    }
    in.sin_addr.s_addr = htonl(wisp_ip4_mask(prefix));
    memcpy(&request.ifr_netmask, &in, sizeof(in));
    return ioctl(fd, SIOCSIFNETMASK, &request) == 0;
}

static bool bring_up(int fd, const char *name)
{
    struct ifreq request;
    named(&request, name);
    if (ioctl(fd, SIOCGIFFLAGS, &request) < 0) {
        return false;
    }
    request.ifr_flags = (short)(request.ifr_flags | IFF_UP);
    return ioctl(fd, SIOCSIFFLAGS, &request) == 0;
}

static bool set_mtu(int fd, const char *name, int mtu)
{
    struct ifreq request;
    named(&request, name);
    request.ifr_mtu = mtu;
    return ioctl(fd, SIOCSIFMTU, &request) == 0;
}

static bool set_up(int fd, const struct wisp_tap_config *config, struct reason why)
{
    if (config->mtu && !set_mtu(fd, config->name, config->mtu)) {
        return refuse(why, "tap %s does not take an MTU of %u: %s", config->name, config->mtu,
                      strerror(errno));
    }
    if (config->host && !set_address(fd, config->name, config->host)) {
        return refuse(why, "tap %s does not take the address %s: write it as 10.0.0.1/24 (%s)",
                      config->name, config->host, strerror(errno));
    }
    if (!bring_up(fd, config->name)) {
        return refuse(why, "tap %s cannot be brought up: %s", config->name, strerror(errno));
    }
    return true;
}

/* Settings of the interface go through any socket of its namespace. */
static bool look_after(const struct wisp_tap_config *config, struct tap_attached *tap,
                       struct reason why)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return refuse(why, "no IPv4 in this kernel or namespace: %s", strerror(errno));
    }
    struct ifreq request;
    bool good = !tap->created || set_up(fd, config, why);
    named(&request, config->name);
    if (good && ioctl(fd, SIOCGIFMTU, &request) < 0) {
        good = refuse(why, "tap %s has no MTU: %s", config->name, strerror(errno));
    }
    tap->mtu = (uint16_t)request.ifr_mtu;
    close(fd);
    return good;
}

static bool set_header(int fd, const struct wisp_tap_config *config, struct reason why)
{
    int size = TAP_HEADER;
    unsigned offload = 0;
    if (config->csum) {
        offload = config->gso ? TUN_F_CSUM | TUN_F_TSO4 : TUN_F_CSUM;
    }
    if (ioctl(fd, TUNSETVNETHDRSZ, &size) < 0 || ioctl(fd, TUNSETOFFLOAD, offload) < 0) {
        return refuse(why, "tap %s does not take offloads: try --offload=off (%s)", config->name,
                      strerror(errno));
    }
    return true;
}

bool tap_attach(const struct wisp_tap_config *config, struct tap_attached *tap, char *text,
                size_t size)
{
    struct reason why = {text, size};
    if (!name_usable(config->name, why)) {
        return false;
    }
    tap->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (tap->fd < 0) {
        return refuse_open(why);
    }
    struct ifreq request;
    named(&request, config->name);
    request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
    tap->created = if_nametoindex(config->name) == 0;
    if (ioctl(tap->fd, TUNSETIFF, &request) < 0) {
        refuse_attach(why, config->name);
    } else if (set_header(tap->fd, config, why) && look_after(config, tap, why)) {
        return true;
    }
    close(tap->fd);
    return false;
}
