/* SPDX-License-Identifier: ISC */
/*
 * The DHCP client over UDP and the stack (see dhcp_run.h): the one file of this folder that knows them.
 *
 * A message that finds no packet is kept and sent in the next step. IPv4 takes unicast answers before there is an
 * address, so the broadcast flag is not needed. An address lost to another host is gone from the stack before this file hears of it. Routes are all of the lease, but for the
 * gateway that the configuration may name: a stack configured by DHCP has no others.
 */
#include <string.h>
#include <wisp/dhcp_run.h>

#define EVENTS       8u
#define RETRY_AFTER  WISP_MS(10)
#define TTL          64
#define MESSAGE_MOST 1500u
#define MTU_LEAST    576u /* option 57 says no less */

struct wisp_dhcp_run {
    struct wisp_dhcp_run_config config;
    struct wisp_dhcp *dhcp;
    struct wisp_udp_socket *socket;
    bool waiting; /* message found no room */
    bool applied; /* address is on the stack */
    bool sent;    /* in this step, or an address was added, which is announced by the next poll */
    uint16_t device_mtu;
    struct wisp_ip4 address;
    uint8_t prefix;
    struct wisp_dhcp_message message;
    struct wisp_dhcp_event event[EVENTS];
    uint32_t event_in, event_out; /* free running */
};

static size_t machine_offset(void)
{
    return (sizeof(struct wisp_dhcp_run) + 63) & ~(size_t)63;
}

size_t wisp_dhcp_run_size(const struct wisp_dhcp_run_config *config)
{
    return machine_offset() + wisp_dhcp_size(&config->dhcp);
}

struct wisp_dhcp_run *wisp_dhcp_run_init(void *mem, size_t size,
                                         const struct wisp_dhcp_run_config *config)
{
    struct wisp_dhcp_run *run = mem;
    if (!mem || size < wisp_dhcp_run_size(config)) {
        return NULL;
    }
    memset(run, 0, sizeof(*run));
    run->config = *config;
    run->device_mtu = config->netdev->caps.mtu;
    run->config.dhcp.mac = config->netdev->caps.mac;
    run->config.dhcp.mtu = run->device_mtu;
    if (run->config.dhcp.max_message > run->device_mtu) {
        run->config.dhcp.max_message = run->device_mtu < MTU_LEAST ? MTU_LEAST : run->device_mtu;
    }
    run->dhcp = wisp_dhcp_init((uint8_t *)mem + machine_offset(), size - machine_offset(),
                               &run->config.dhcp);
    if (!run->dhcp || wisp_udp_open(config->udp, NULL, WISP_DHCP_CLIENT_PORT, true, &run->socket)) {
        return NULL;
    }
    wisp_udp_set(run->socket, TTL, 0);
    return run;
}

struct wisp_dhcp *wisp_dhcp_run_machine(struct wisp_dhcp_run *run)
{
    return run->dhcp;
}

/* ---- the stack ---- */

/* Zero: the device's own again. */
static void bound_mtu(struct wisp_dhcp_run *run, uint16_t mtu)
{
    struct wisp_netdev_caps *caps = &run->config.netdev->caps;
    uint16_t wanted = mtu != 0 && mtu < run->device_mtu ? mtu : run->device_mtu;
    if (caps->mtu != wanted) {
        caps->mtu = wanted;
        caps->generation++;
    }
}

static void add_route(struct wisp_dhcp_run *run, struct wisp_ip4 network, uint8_t prefix,
                      struct wisp_ip4 gateway)
{
    struct wisp_addr to = wisp_addr_ip4(network);
    struct wisp_addr by = wisp_ip4_value(gateway) ? wisp_addr_ip4(gateway) : wisp_addr_any();
    (void)wisp_stack_route_add(run->config.stack, &to, prefix, &by);
}

static void set_routes(struct wisp_dhcp_run *run, const struct wisp_dhcp_lease *lease)
{
    bool given = wisp_ip4_value(run->config.gateway) != 0;
    wisp_stack_routes_clear(run->config.stack);
    for (uint32_t i = 0; i < lease->routes; i++) {
        const struct wisp_dhcp_route *route = &lease->route[i];
        if (route->prefix > 0 || !given) {
            add_route(run, route->network, route->prefix, route->gateway);
        }
    }
    if (given) {
        add_route(run, wisp_ip4(0, 0, 0, 0), 0, run->config.gateway);
    }
}

static void withdraw(struct wisp_dhcp_run *run, wisp_time now)
{
    struct wisp_addr addr = wisp_addr_ip4(run->address);
    if (run->applied) {
        run->applied = false;
        wisp_stack_routes_clear(run->config.stack);
        /* gone already if it was lost */
        (void)wisp_stack_address_remove(run->config.stack, &addr, now);
        bound_mtu(run, 0);
    }
}

/* A renewal may bring another mask, which the address then gets. */
static void apply(struct wisp_dhcp_run *run, const struct wisp_dhcp_lease *lease, wisp_time now)
{
    struct wisp_addr addr = wisp_addr_ip4(lease->address);
    if (!run->applied || run->prefix != lease->prefix) {
        (void)wisp_stack_address_add(run->config.stack, &addr, lease->prefix, now);
        run->applied = true;
        run->sent = true;
        run->address = lease->address;
        run->prefix = lease->prefix;
    }
    set_routes(run, lease);
    bound_mtu(run, lease->mtu);
}

void wisp_dhcp_run_fini(struct wisp_dhcp_run *run, wisp_time now)
{
    withdraw(run, now);
    wisp_udp_close(run->socket);
}

void wisp_dhcp_run_notice(struct wisp_dhcp_run *run, const struct wisp_stack_event *event,
                          wisp_time now)
{
    switch (event->kind) {
    case WISP_STACK_ADDRESS_CONFLICT:
        if (event->lost && run->applied && event->addr.family == WISP_FAMILY_IP4 &&
            wisp_ip4_equal(event->addr.u.ip4, run->address)) {
            wisp_dhcp_conflict(run->dhcp, now);
        }
        break;
    case WISP_STACK_LINK_UP:
    case WISP_STACK_RESUMED:
        wisp_dhcp_confirm(run->dhcp, now);
        break;
    default:
        break;
    }
}

/* ---- events ---- */

static void act(struct wisp_dhcp_run *run, wisp_time now)
{
    struct wisp_dhcp_event event;
    while (wisp_dhcp_next_event(run->dhcp, &event)) {
        const struct wisp_dhcp_lease *lease = wisp_dhcp_lease(run->dhcp);
        if (event.kind == WISP_DHCP_LOST) {
            withdraw(run, now);
        } else if ((event.kind == WISP_DHCP_LEASED || event.kind == WISP_DHCP_RENEWED) && lease &&
                   wisp_ip4_equal(lease->address, event.address)) {
            apply(run, lease, now);
        } else if (event.kind == WISP_DHCP_INFORMED && lease) {
            set_routes(run, lease);
            bound_mtu(run, lease->mtu);
        }
        if (run->event_in - run->event_out == EVENTS) {
            run->event_out++;
        }
        run->event[run->event_in++ % EVENTS] = event;
    }
}

bool wisp_dhcp_run_next_event(struct wisp_dhcp_run *run, struct wisp_dhcp_event *event)
{
    if (run->event_in == run->event_out) {
        return false;
    }
    *event = run->event[run->event_out++ % EVENTS];
    return true;
}

/* ---- messages ---- */

static void receive(struct wisp_dhcp_run *run, wisp_time now)
{
    struct wisp_udp_datagram datagram;
    struct wisp_icmp_error error;
    uint16_t port;
    while (wisp_udp_receive(run->socket, &datagram)) {
        uint8_t bytes[MESSAGE_MOST];
        uint32_t length = datagram.pkt->length;
        bool whole = length <= sizeof(bytes) && wisp_pkt_read(datagram.pkt, 0, bytes, length);
        if (whole && datagram.remote_port == WISP_DHCP_SERVER_PORT) {
            wisp_dhcp_input(run->dhcp, bytes, length, now);
            act(run, now);
        }
        wisp_pkt_drop(datagram.pkt);
    }
    /* tells nothing the lack of an answer does not */
    (void)wisp_udp_error(run->socket, &error, &port);
}

/* True when it is on its way, or can never be. */
static bool send(struct wisp_dhcp_run *run, wisp_time now)
{
    const struct wisp_dhcp_message *message = &run->message;
    struct wisp_addr local = wisp_addr_any();
    struct wisp_addr remote = wisp_addr_ip4(message->remote);
    if (wisp_ip4_value(message->local) != 0) {
        local = wisp_addr_ip4(message->local);
    }
    enum wisp_err err = wisp_udp_send(run->socket, &local, &remote, WISP_DHCP_SERVER_PORT,
                                      message->bytes, message->length, now);
    run->waiting = err == WISP_ERR_AGAIN;
    run->sent = run->sent || err == WISP_OK;
    return !run->waiting;
}

wisp_time wisp_dhcp_run_step(struct wisp_dhcp_run *run, wisp_time now)
{
    run->sent = false;
    receive(run, now);
    bool room = !run->waiting || send(run, now);
    while (room && wisp_dhcp_next(run->dhcp, now, &run->message)) {
        room = send(run, now);
    }
    act(run, now);
    if (run->waiting) {
        return wisp_time_add(now, RETRY_AFTER);
    }
    return run->sent ? now : wisp_dhcp_deadline(run->dhcp);
}
