/* SPDX-License-Identifier: ISC */
/* A program as a user writes it, outside of the tree: greets whoever connects to port 13, closes its side, and
 * listens on for as long as the other likes. The same source becomes a Linux process and a Xen image. */
#include <wisp/wisp.h>

const struct wisp_app wisp_app = {"hello", "Greets whoever connects.", NULL, NULL};

static void *memory(size_t size)
{
    void *mem = wisp_platform_memory(size);
    if (!mem) {
        wisp_platform_exit(1, "no memory");
    }
    return mem;
}

static struct wisp_stack *open_stack(struct wisp_pool *pool, struct wisp_netdev *netdev,
                                     wisp_time now)
{
    struct wisp_stack_config config;
    wisp_stack_config_default(&config);
    config.netdev = netdev;
    config.pages = pool;
    config.hash = wisp_platform_hash();
    config.sum = wisp_platform_sum();
    wisp_platform_entropy(config.seed, sizeof(config.seed));
    size_t size = wisp_stack_size(&config);
    return wisp_stack_init(memory(size), size, &config, now);
}

static struct wisp_tcp *open_tcp(struct wisp_stack *stack, wisp_time now)
{
    struct wisp_tcp_config config;
    wisp_tcp_config_default(&config);
    config.cc = &wisp_tcp_cc_newreno;
    config.hash = wisp_platform_hash();
    wisp_platform_entropy(config.seed, sizeof(config.seed));
    size_t size = wisp_tcp_size(&config);
    struct wisp_tcp *tcp = wisp_tcp_init(memory(size), size, &config);
    wisp_stack_attach(stack, wisp_tcp_transport(tcp), now);
    return tcp;
}

static uint32_t heard; /* from the one who is being talked to */

/* True: something was done that TCP should send. */
static bool greet(struct wisp_tcp *tcp)
{
    static const char text[] = "hello from wisp " WISP_VERSION_STRING "\n";
    struct wisp_tcp_event event;
    bool acted = false;
    while (wisp_tcp_next_event(tcp, &event)) {
        if (event.what & WISP_TCP_ACCEPTED) {
            wisp_tcp_write(event.conn, text, sizeof(text) - 1);
            wisp_tcp_shutdown(event.conn);
            acted = true;
        }
        if (event.what & WISP_TCP_READABLE) {
            uint32_t length = wisp_tcp_readable(event.conn);
            wisp_tcp_consume(event.conn, length);
            heard += length;
            acted = true;
        }
        if (event.what & WISP_TCP_CLOSED) {
            wisp_platform_log(WISP_LOG_INFO, "hello", "%u bytes heard: %s", heard,
                              wisp_err_text(event.reason));
            heard = 0;
            wisp_tcp_release(event.conn);
        }
    }
    return acted;
}

int wisp_app_main(void)
{
    uint32_t pages;
    void *region = wisp_platform_pages(&pages);
    size_t size = wisp_pool_size(pages);
    struct wisp_pool *pool = wisp_pool_init(memory(size), size, region, pages, 8, true);
    struct wisp_netdev *netdev = wisp_platform_netdev(0, pool);
    if (!netdev) {
        wisp_platform_exit(1, wisp_platform_netdev_reason());
    }
    wisp_time now = wisp_platform_now();
    struct wisp_stack *stack = open_stack(pool, netdev, now);
    struct wisp_tcp *tcp = open_tcp(stack, now);
    struct wisp_addr own = wisp_addr_ip4(wisp_ip4(10, 0, 0, 2));
    struct wisp_tcp_listener *listener;
    if (wisp_stack_address_add(stack, &own, 24, now) ||
        wisp_tcp_listen(tcp, NULL, 13, 16, &listener)) {
        wisp_platform_exit(1, "no address or no port");
    }
    wisp_platform_log(WISP_LOG_INFO, "hello", "listening on port 13");
    wisp_time deadline = now;
    while (wisp_platform_wait(deadline)) {
        now = wisp_platform_now();
        deadline = wisp_stack_poll(stack, now);
        if (greet(tcp)) {
            deadline = now;
        }
    }
    wisp_tcp_fini(tcp);
    wisp_stack_fini(stack);
    return 0;
}
