/* SPDX-License-Identifier: ISC */
/* Asks a host for an echo and measures how long it takes. */
#include "net.h"
#include "text.h"

#define IN_FLIGHT 64u          /* requests whose time of sending is remembered */
#define AWAIT     WISP_SEC(30) /* for an address by DHCP */

static const struct wisp_param params[] = {
    {"count", "4", "N", "requests to send"},
    {"interval", "1000", "MS", "milliseconds from one to the next"},
    {"size", "56", "BYTES", "payload, up to 65507"},
    {"timeout", "1000", "MS", "milliseconds to wait for the last answer"},
    {NULL, NULL, NULL, NULL},
};

const struct wisp_app wisp_app = {.name = "ping",
                                  .summary =
                                      "Asks a host for an echo and measures how long it takes.\n"
                                      "Waits up to 30 s for an address of its own.",
                                  .params = params,
                                  .operands = "ADDRESS"};

struct ping {
    struct wisp_net net;
    struct wisp_addr remote;
    uint16_t id, size;
    uint32_t count, sent, received;
    wisp_time interval, timeout, next_at;
    wisp_time sent_at[IN_FLIGHT];
    wisp_time least, most, sum;
};

static void add_ms(struct wisp_text *text, wisp_time t)
{
    wisp_text_add_decimals(text, t / 1000, 3);
}

static void finish_line(struct wisp_text *text)
{
    wisp_text_add(text, "\n");
    wisp_platform_output(text->bytes, text->used < text->size ? text->used : text->size);
}

static void read_operand(struct ping *ping)
{
    struct wisp_ip4 ip;
    const char *host = wisp_platform_operand(0);
    if (!host || wisp_platform_operand(1)) {
        wisp_platform_exit(2, "one address to ask is needed: ping 10.0.0.1");
    }
    if (!wisp_ip4_parse(host, wisp_text_length(host), &ip)) {
        wisp_platform_exit(2, "the host is given as an address, like 10.0.0.1");
    }
    ping->remote = wisp_addr_ip4(ip);
}

static void ask(struct ping *ping)
{
    uint32_t sequence = ping->sent + 1;
    enum wisp_err err = wisp_stack_ping(ping->net.stack, &ping->remote, ping->id,
                                        (uint16_t)sequence, ping->size, ping->net.now);
    if (err && err != WISP_ERR_AGAIN) {
        wisp_platform_exit(err == WISP_ERR_INVALID ? 2 : 1, wisp_err_text(err));
    }
    ping->sent_at[sequence % IN_FLIGHT] = ping->net.now;
    ping->sent = sequence;
    ping->next_at = ping->net.now + (ping->sent < ping->count ? ping->interval : ping->timeout);
}

static void count_time(struct ping *ping, wisp_time took)
{
    ping->least = ping->received == 0 || took < ping->least ? took : ping->least;
    ping->most = took > ping->most ? took : ping->most;
    ping->sum += took;
    ping->received++;
}

static void tell_reply(struct ping *ping, const struct wisp_ping_reply *reply)
{
    char line[160];
    char from[WISP_ADDR_TEXT_MAX];
    struct wisp_text text = {line, sizeof(line), 0};
    wisp_addr_text(&reply->remote, from, sizeof(from));
    wisp_time took = reply->at - ping->sent_at[reply->sequence % IN_FLIGHT];
    wisp_text_add(&text, from);
    wisp_text_add(&text, reply->error ? ": cannot be reached, sequence " : ": sequence ");
    wisp_text_add_number(&text, reply->sequence);
    if (!reply->error) {
        wisp_text_add(&text, ", ");
        wisp_text_add_number(&text, reply->length);
        wisp_text_add(&text, reply->intact ? " bytes, ttl " : " bytes NOT AS SENT, ttl ");
        wisp_text_add_number(&text, reply->ttl);
        wisp_text_add(&text, ", ");
        add_ms(&text, took);
        wisp_text_add(&text, " ms");
    }
    finish_line(&text);
    if (!reply->error && reply->intact) {
        count_time(ping, took);
    }
}

static void listen(struct ping *ping)
{
    struct wisp_ping_reply reply;
    while (wisp_stack_next_ping(ping->net.stack, &reply)) {
        if (reply.id == ping->id && (uint16_t)(ping->sent - reply.sequence) < IN_FLIGHT) {
            tell_reply(ping, &reply);
        }
    }
}

static bool done(const struct ping *ping)
{
    return ping->sent == ping->count &&
           (ping->received >= ping->count || ping->net.now >= ping->next_at);
}

static void tell_summary(const struct ping *ping)
{
    char line[200];
    struct wisp_text text = {line, sizeof(line), 0};
    wisp_text_add_number(&text, ping->sent);
    wisp_text_add(&text, " sent, ");
    wisp_text_add_number(&text, ping->received);
    wisp_text_add(&text, " received");
    if (ping->received > 0) {
        wisp_text_add(&text, ", least ");
        add_ms(&text, ping->least);
        wisp_text_add(&text, " ms, mean ");
        add_ms(&text, ping->sum / ping->received);
        wisp_text_add(&text, " ms, most ");
        add_ms(&text, ping->most);
        wisp_text_add(&text, " ms");
    }
    finish_line(&text);
}

int wisp_app_main(void)
{
    struct ping ping = {.count = wisp_net_number("count", 1, 1000000),
                        .interval = WISP_MS(wisp_net_number("interval", 1, 3600000)),
                        .timeout = WISP_MS(wisp_net_number("timeout", 1, 3600000)),
                        .size = (uint16_t)wisp_net_number("size", 0, 65507)};
    read_operand(&ping);
    wisp_platform_entropy(&ping.id, sizeof(ping.id));
    wisp_net_open(&ping.net,
                  &(struct wisp_net_config){.reassembly = &wisp_ipv4_reassembly, .quiet = true});
    bool acted = true;
    wisp_net_await(&ping.net, AWAIT);
    while (!done(&ping) && wisp_net_step(&ping.net, acted ? 0 : ping.next_at)) {
        listen(&ping);
        acted = ping.sent < ping.count && ping.net.now >= ping.next_at;
        if (acted) {
            ask(&ping);
        }
    }
    tell_summary(&ping);
    wisp_net_close(&ping.net);
    return ping.received == ping.sent ? 0 : 1;
}
