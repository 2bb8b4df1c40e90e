/* SPDX-License-Identifier: ISC */
/*
 * What bench/xen-figures needs in dom0 and no program there gives exactly:
 *
 *   xen-meter cpu DOMID                     nanoseconds the domain has run; what xentop shows
 *   xen-meter dial ADDRESS PORT DOMID       unpauses the domain and dials until it is answered; prints both times, in
 *                                           microseconds since 1970
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <xenctrl.h>

enum { PATIENCE_MS = 2, DIAL_SECONDS = 300 };

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "xen-meter: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int cpu(xc_interface *xen, uint32_t domain)
{
    xc_dominfo_t info;
    if (xc_domain_getinfo(xen, domain, 1, &info) != 1 || info.domid != domain) {
        fail("no such domain");
    }
    printf("%" PRIu64 "\n", info.cpu_time);
    return 0;
}

/* One attempt, of a socket of its own: true when the SYN was answered by a SYN. */
static bool answered(const struct sockaddr_in *to, int patience_ms)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    int error = 0;
    socklen_t size = sizeof(error);
    if (fd < 0) {
        fail("socket");
    }
    bool good = connect(fd, (const struct sockaddr *)to, sizeof(*to)) == 0;
    if (!good && errno == EINPROGRESS && poll(&wait, 1, PATIENCE_MS) == 1) {
        good = getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
    }
    if (!good) {
        poll(NULL, 0, patience_ms); /* leaves the processor to the guest, refused or not */
    }
    close(fd);
    return good;
}

static int dial(xc_interface *xen, const char *address, const char *port, uint32_t domain)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    if (inet_pton(AF_INET, address, &to.sin_addr) != 1) {
        fail("not an address");
    }
    uint64_t start = now_us();
    if (xc_domain_unpause(xen, domain) != 0) {
        fail("cannot unpause");
    }
    /* A hundredth of what has passed is near enough, and leaves a slow guest the processor. */
    while (!answered(&to, PATIENCE_MS + (int)((now_us() - start) / 100000))) {
        if (now_us() - start > UINT64_C(1000000) * DIAL_SECONDS) {
            errno = ETIMEDOUT;
            fail(address);
        }
    }
    printf("%" PRIu64 " %" PRIu64 "\n", start, now_us());
    return 0;
}

int main(int argc, char **argv)
{
    bool dials = argc == 5 && !strcmp(argv[1], "dial");
    if (!dials && (argc != 3 || strcmp(argv[1], "cpu") != 0)) {
        fprintf(stderr, "usage: xen-meter cpu DOMID | dial ADDRESS PORT DOMID\n");
        return 2;
    }
    xc_interface *xen = xc_interface_open(NULL, NULL, 0);
    if (!xen) {
        fail("no hypervisor");
    }
    return dials ? dial(xen, argv[2], argv[3], (uint32_t)atoi(argv[4]))
                 : cpu(xen, (uint32_t)atoi(argv[2]));
}
