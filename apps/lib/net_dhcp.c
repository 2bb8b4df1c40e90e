/* SPDX-License-Identifier: ISC */
/*
 * Configuration by the network. UDP is made in the first step, unless the application made it before. What a
 * server said and was not taken as it was is logged once, not with every renewal.
 */
#include "net_dhcp.h"
#include "net_address.h"
#include "net_counters.h"

static struct {
    bool started;
    bool inform;
    struct wisp_net_address address; /* inform */
    struct wisp_ip4 before;          /* leased in an earlier life; 0.0.0.0: nothing */
    uint8_t complained;              /* adjusted bits logged */
    wisp_time quota;                 /* moves on with each line logged */
    void (*follow)(struct wisp_net *net, const struct wisp_dhcp_event *event);
} state;

void wisp_net_dhcp_follow(void (*follow)(struct wisp_net *net, const struct wisp_dhcp_event *event))
{
    state.follow = follow;
}

void wisp_net_dhcp_remember(struct wisp_ip4 before)
{
    state.before = before;
}

static void start(struct wisp_net *net)
{
    struct wisp_dhcp_run_config config = {
        .stack = net->stack, .netdev = net->netdev, .gateway = net->gateway};
    config.udp = wisp_net_udp(net, NULL);
    wisp_dhcp_config_default(&config.dhcp);
    config.dhcp.client_id = wisp_platform_param("dhcp-id");
    config.dhcp.host_name = wisp_platform_param("dhcp-name");
    config.dhcp.renew_floor = WISP_SEC(wisp_net_number("dhcp-floor", 1, 3600));
    config.dhcp.start_delay = wisp_platform_param("dhcp-delay") != NULL;
    config.dhcp.broadcast = wisp_platform_param("dhcp-broadcast") != NULL;
    config.dhcp.wide_routes = wisp_platform_param("dhcp-wide-routes") != NULL;
    config.dhcp.hash = wisp_platform_hash();
    wisp_platform_entropy(config.dhcp.seed, sizeof(config.dhcp.seed));
    size_t size = wisp_dhcp_run_size(&config);
    net->dhcp = wisp_dhcp_run_init(wisp_net_memory(size), size, &config);
    if (!net->dhcp) {
        wisp_platform_exit(1, "port 68 is taken, which DHCP needs");
    }
    wisp_net_show_dhcp(wisp_dhcp_run_machine(net->dhcp));
    if (state.inform) {
        wisp_dhcp_inform(wisp_dhcp_run_machine(net->dhcp), state.address.ip, state.address.prefix,
                         net->now);
    } else {
        wisp_dhcp_reboot(wisp_dhcp_run_machine(net->dhcp), state.before, net->now);
    }
    state.started = true;
}

static void add_ip(struct wisp_text *text, struct wisp_ip4 ip)
{
    char word[WISP_ADDR_TEXT_MAX];
    struct wisp_addr addr = wisp_addr_ip4(ip);
    wisp_addr_text(&addr, word, sizeof(word));
    wisp_text_add(text, word);
}

static void add_list(struct wisp_text *text, const char *name, const struct wisp_ip4 *list,
                     uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        wisp_text_add(text, i == 0 ? name : ",");
        add_ip(text, list[i]);
    }
}

static void add_routes(struct wisp_text *text, const struct wisp_dhcp_lease *lease)
{
    for (uint32_t i = 0; i < lease->routes; i++) {
        const struct wisp_dhcp_route *route = &lease->route[i];
        wisp_text_add(text, i == 0 ? " routes=" : ",");
        if (route->prefix == 0) {
            wisp_text_add(text, "default");
        } else {
            add_ip(text, route->network);
            wisp_text_add(text, "/");
            wisp_text_add_number(text, route->prefix);
        }
        wisp_text_add(text, ":");
        if (wisp_ip4_value(route->gateway) == 0) {
            wisp_text_add(text, "link");
        } else {
            add_ip(text, route->gateway);
        }
    }
}

static void add_seconds(struct wisp_text *text, const char *name, wisp_time from, wisp_time at)
{
    wisp_text_add(text, name);
    wisp_text_add_number(text, (at - from + WISP_MS(500)) / WISP_SEC(1));
}

static void add_times(struct wisp_text *text, const struct wisp_dhcp_lease *lease)
{
    if (lease->until == WISP_NEVER) {
        wisp_text_add(text, lease->from == WISP_NEVER ? "" : " lease=infinite");
        return;
    }
    add_seconds(text, " lease=", lease->from, lease->until);
    add_seconds(text, " t1=", lease->from, lease->renew);
    add_seconds(text, " t2=", lease->from, lease->rebind);
}

static void add_names(struct wisp_text *text, const struct wisp_dhcp_lease *lease)
{
    if (lease->host_name[0]) {
        wisp_text_add(text, " hostname=");
        wisp_text_add(text, lease->host_name);
    }
    if (lease->domain[0]) {
        wisp_text_add(text, " domain=");
        wisp_text_add(text, lease->domain);
    }
    for (uint32_t i = 0; i < lease->domains; i++) {
        wisp_text_add(text, i == 0 ? " search=" : ",");
        wisp_text_add(text, lease->search[i]);
    }
}

void wisp_net_dhcp_describe(struct wisp_text *text, const struct wisp_dhcp_lease *lease)
{
    add_ip(text, lease->address);
    wisp_text_add(text, "/");
    wisp_text_add_number(text, lease->prefix);
    add_list(text, " server=", &lease->server, 1);
    add_times(text, lease);
    add_routes(text, lease);
    add_list(text, " dns=", lease->name_server, lease->name_servers);
    add_list(text, " ntp=", lease->time_server, lease->time_servers);
    if (lease->mtu) {
        wisp_text_add(text, " mtu=");
        wisp_text_add_number(text, lease->mtu);
    }
    add_names(text, lease);
}

static void complain_of(const char *what)
{
    wisp_platform_log(WISP_LOG_WARN, "dhcp", "the server's lease is odd: %s", what);
}

static void complain(const struct wisp_dhcp_lease *lease)
{
    for (uint8_t bit = 1; bit != 0; bit = (uint8_t)(bit << 1)) {
        if (lease->adjusted & ~state.complained & bit) {
            complain_of(wisp_dhcp_adjusted_text((enum wisp_dhcp_adjusted)bit));
        }
    }
    state.complained |= lease->adjusted;
}

/* The level of a line that a server could have us write again and again: ten at once, then one each half minute. */
static enum wisp_log_level limited(const struct wisp_net *net, enum wisp_log_level level)
{
    if (state.quota >= net->now + WISP_SEC(300)) {
        return WISP_LOG_DEBUG;
    }
    state.quota = (state.quota > net->now ? state.quota : net->now) + WISP_SEC(30);
    return level;
}

static void tell_lease(struct wisp_net *net, enum wisp_log_level level)
{
    const struct wisp_dhcp_lease *lease = net->automatic->lease(net);
    char line[400];
    struct wisp_text text = {line, sizeof(line) - 1, 0};
    if (lease) {
        wisp_net_dhcp_describe(&text, lease);
        line[text.used < text.size ? text.used : text.size] = 0;
        wisp_platform_log(level, "net", "%s (DHCP)", line);
        complain(lease);
    }
}

static void tell(struct wisp_net *net, const struct wisp_dhcp_event *event)
{
    const char *refusal = wisp_dhcp_refusal(wisp_dhcp_run_machine(net->dhcp));
    switch (event->kind) {
    case WISP_DHCP_LEASED:
    case WISP_DHCP_INFORMED:
        tell_lease(net, limited(net, WISP_LOG_INFO));
        break;
    case WISP_DHCP_RENEWED:
        tell_lease(net, WISP_LOG_DEBUG);
        break;
    case WISP_DHCP_LOST:
        wisp_platform_log(limited(net, WISP_LOG_WARN), "net", "address lost: %s%s%s",
                          wisp_dhcp_reason_text(event->reason),
                          event->reason == WISP_DHCP_REASON_REFUSED && refusal[0] ? ": " : "",
                          event->reason == WISP_DHCP_REASON_REFUSED ? refusal : "");
        break;
    case WISP_DHCP_SILENT:
        wisp_platform_log(
            WISP_LOG_WARN, "net",
            "no DHCP server answers; still asking (--ipv4=ADDR/BITS gives an address)");
        break;
    case WISP_DHCP_UNUSABLE:
        complain_of(wisp_dhcp_reason_text(event->reason));
        break;
    }
}

static void notice(struct wisp_net *net, const struct wisp_stack_event *event)
{
    if (state.started) {
        wisp_dhcp_run_notice(net->dhcp, event, net->now);
    }
}

static wisp_time step(struct wisp_net *net)
{
    struct wisp_dhcp_event event;
    if (!state.started) {
        start(net);
    }
    wisp_time deadline = wisp_dhcp_run_step(net->dhcp, net->now);
    while (wisp_dhcp_run_next_event(net->dhcp, &event)) {
        tell(net, &event);
        if (state.follow) {
            state.follow(net, &event);
        }
    }
    return deadline;
}

static const struct wisp_dhcp_lease *lease(struct wisp_net *net)
{
    return state.started ? wisp_dhcp_lease(wisp_dhcp_run_machine(net->dhcp)) : NULL;
}

static void close(struct wisp_net *net)
{
    if (state.started) {
        wisp_net_show_no_more(wisp_dhcp_run_machine(net->dhcp));
        wisp_dhcp_run_fini(net->dhcp, net->now);
    }
}

void wisp_net_dhcp_open(struct wisp_net *net, const struct wisp_net_address *inform)
{
    static const struct wisp_net_automatic by_dhcp = {
        .notice = notice, .step = step, .lease = lease, .close = close};
    if (inform) {
        state.inform = true;
        state.address = *inform;
    }
    net->automatic = &by_dhcp;
    net->deadline = net->now;
}
