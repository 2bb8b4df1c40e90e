/* SPDX-License-Identifier: ISC */
/*
 * Asks name servers for the addresses of names and the names of addresses, one question after the
 * other, and prints each answer behind what was asked.
 */
#include "net.h"
#include "net_names.h"
#include "text.h"

static const struct wisp_param params[] = {
    {"timeout", "30", "SECONDS", "give up after so long without an address of its own"},
    {NULL, NULL, NULL, NULL},
};

const struct wisp_app wisp_app = {
    .name = "resolve",
    .summary =
        "Prints the addresses of names (IPv4, up to eight each) and the names of addresses.\n"
        "Status 0: all were found; 1: not all; 2: wrong use.",
    .params = params,
    .operands = "NAME|ADDRESS...",
};

static void print(const char *asked, const char *found)
{
    char line[600];
    struct wisp_text text = {line, sizeof(line), 0};
    wisp_text_add(&text, asked);
    wisp_text_add(&text, " ");
    wisp_text_add(&text, found);
    wisp_text_add(&text, "\n");
    wisp_platform_output(line, text.used < text.size ? text.used : text.size);
}

static void print_addresses(const char *asked, const struct wisp_dns_answer *answer)
{
    char addr[WISP_ADDR_TEXT_MAX];
    for (uint32_t i = 0; i < answer->addresses; i++) {
        wisp_addr_text(&answer->address[i], addr, sizeof(addr));
        print(asked, addr);
    }
}

/* False when there is no answer, and that was said. */
static bool resolve(struct wisp_net_names *names, const char *asked)
{
    size_t length = wisp_text_length(asked);
    const char *why;
    struct wisp_ip4 ip;
    bool reverse = wisp_ip4_parse(asked, length, &ip);
    const struct wisp_dns_answer *answer =
        reverse ? wisp_net_names_name(names, ip, &why)
                : wisp_net_names_addresses(names, asked, length, &why);
    if (!answer) {
        wisp_platform_log(WISP_LOG_ERROR, "resolve", "%s: %s", asked, why);
    } else if (reverse) {
        print(asked, answer->name);
    } else {
        print_addresses(asked, answer);
    }
    return answer != NULL;
}

int wisp_app_main(void)
{
    static struct wisp_net net;
    struct wisp_net_names names;
    bool all = true;
    wisp_time timeout = WISP_SEC(wisp_net_number("timeout", 1, 86400));
    if (!wisp_platform_operand(0)) {
        wisp_platform_exit(2, "what to look up is needed: a name like example.org, or an address");
    }
    wisp_net_open(&net,
                  &(struct wisp_net_config){.reassembly = &wisp_ipv4_reassembly, .quiet = true});
    struct wisp_tcp *tcp = wisp_net_tcp(&net, NULL);
    wisp_net_await(&net, timeout);
    wisp_net_names_open(&names, &net, tcp, &wisp_dns_by_tcp);
    for (uint32_t i = 0; wisp_platform_operand(i); i++) {
        all = resolve(&names, wisp_platform_operand(i)) && all;
    }
    wisp_net_names_close(&names);
    wisp_net_flush(&net);
    wisp_tcp_fini(tcp);
    wisp_net_close(&net);
    return all ? 0 : 1;
}
