/* SPDX-License-Identifier: ISC */
/*
 * Prints the lease a DHCP server gives, and what becomes of it; with an address of its own (--ipv4) asks for
 * everything else (INFORM).
 */
#include "net_address.h"
#include "net_dhcp.h"

static const struct wisp_param params[] = {
    {"once", NULL, NULL, "print the lease as one line and end"},
    {"release", NULL, NULL, "give the lease back at the end"},
    {"reboot", NULL, "ADDR", "ask for this address first, as if it had been leased before"},
    {"timeout", "30", "SECONDS", "with --once: give up after"},
    {NULL, NULL, NULL, NULL},
};

const struct wisp_app wisp_app = {
    .name = "dhcp-lease",
    .summary = "Prints the lease a DHCP server gives, and what becomes of it.",
    .params = params,
};

static struct {
    bool once, got, refused;
} app;

static void print(const char *what, const struct wisp_dhcp_lease *lease, const char *more)
{
    char line[1400];
    struct wisp_text text = {line, sizeof(line) - 1, 0};
    wisp_text_add(&text, what);
    if (lease) {
        wisp_net_dhcp_describe(&text, lease);
    }
    wisp_text_add(&text, more);
    wisp_text_add(&text, "\n");
    line[text.used < text.size ? text.used : text.size] = 0;
    wisp_platform_print(line);
}

static void follow(struct wisp_net *net, const struct wisp_dhcp_event *event)
{
    const struct wisp_dhcp_lease *lease = net->automatic->lease(net);
    if (app.once && app.got) {
        return; /* the one line is out */
    }
    switch (event->kind) {
    case WISP_DHCP_LEASED:
    case WISP_DHCP_INFORMED:
        app.got = true;
        print(app.once ? "" : event->kind == WISP_DHCP_LEASED ? "leased " : "informed ", lease, "");
        break;
    case WISP_DHCP_RENEWED:
        print("renewed ", lease, "");
        break;
    case WISP_DHCP_LOST:
        print("lost: ", NULL, wisp_dhcp_reason_text(event->reason));
        break;
    case WISP_DHCP_SILENT:
        print("silent: ", NULL, "no DHCP server answers");
        break;
    case WISP_DHCP_UNUSABLE:
        app.refused = true;
        if (!app.once) {
            print("unusable: ", NULL, wisp_dhcp_reason_text(event->reason));
        }
        break;
    }
}

/* An address the parameters gave is kept, and the network is asked for the rest. */
static void ask(struct wisp_net *net)
{
    const char *before = wisp_platform_param("reboot");
    struct wisp_net_address own = {0};
    struct wisp_addr addr;
    struct wisp_ip4 ip;
    if (wisp_stack_address(net->stack, &addr, &own.prefix)) {
        own.ip = addr.u.ip4;
        wisp_net_dhcp_open(net, &own);
    } else if (!net->automatic) {
        wisp_platform_exit(2, "--ipv4-probe=wait: an address is needed before INFORM");
    }
    if (before) {
        if (!wisp_ip4_parse(before, wisp_text_length(before), &ip)) {
            wisp_platform_exit(2, "--reboot is an address like 10.0.0.2");
        }
        wisp_net_dhcp_remember(ip);
    }
    wisp_net_flush(net);
}

/* The message leaves while the address still stands; then the address goes. */
static void release(struct wisp_net *net)
{
    struct wisp_dhcp *dhcp = wisp_dhcp_run_machine(net->dhcp);
    wisp_dhcp_release(dhcp, net->now);
    while (wisp_dhcp_state(dhcp) == WISP_DHCP_STATE_RELEASING) {
        wisp_net_flush(net);
        (void)wisp_platform_wait(net->deadline);
    }
}

int wisp_app_main(void)
{
    static struct wisp_net net;
    wisp_time give_up = WISP_SEC(wisp_net_number("timeout", 1, 86400));
    app.once = wisp_platform_param("once") != NULL;
    wisp_net_open(&net, &(struct wisp_net_config){.quiet = true});
    wisp_net_dhcp_follow(follow);
    ask(&net);
    give_up = app.once ? net.now + give_up : WISP_NEVER;
    while (!(app.once && app.got) && net.now < give_up) {
        if (!wisp_net_step(&net, give_up)) {
            break;
        }
    }
    if (wisp_platform_param("release")) {
        release(&net);
    }
    wisp_net_close(&net);
    if (app.once && !app.got) {
        wisp_platform_log(WISP_LOG_ERROR, "dhcp-lease",
                          app.refused ? "no DHCP server gives a lease that can be used"
                                      : "no DHCP server answers");
        return 1;
    }
    return 0;
}
