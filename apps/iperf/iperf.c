/* SPDX-License-Identifier: ISC */
/* Measures throughput as iperf 2 does, and against it: server unless --client says whom to send to. */
#include "iperf.h"
#include "text.h"

static const struct wisp_param params[] = {
    {"client", NULL, "ADDRESS", "send to a server there; otherwise be a server"},
    {"port", "5001", "PORT", "the server's port"},
    {"udp", NULL, NULL, "UDP instead of TCP"},
    {"time", "10", "SECONDS", "how long the client sends"},
    {"length", "1470", "BYTES", "the client's datagrams"},
    {"bandwidth", "1", "MBITS", "the client's datagrams, Mbit/s"},
    {NULL, NULL, NULL, NULL},
};

const struct wisp_app wisp_app = {.name = "iperf",
                                  .summary = "Measures throughput, against iperf 2 or itself.",
                                  .params = params};

void iperf_print(const struct iperf_report *report)
{
    char line[200];
    char addr[WISP_ADDR_TEXT_MAX];
    struct wisp_text text = {line, sizeof(line), 0};
    uint64_t us = report->lasted / WISP_US(1);
    wisp_addr_text(report->remote, addr, sizeof(addr));
    wisp_text_add(&text, addr);
    wisp_text_add(&text, ":");
    wisp_text_add_number(&text, report->port);
    wisp_text_add(&text, "  ");
    wisp_text_add_decimals(&text, us / 10000, 2);
    wisp_text_add(&text, " s  ");
    wisp_text_add_number(&text, report->bytes);
    wisp_text_add(&text, " bytes  ");
    wisp_text_add_decimals(&text, us ? report->bytes * 80 / us : 0, 1);
    wisp_text_add(&text, " Mbit/s");
    if (report->datagrams) {
        wisp_text_add(&text, "  ");
        wisp_text_add_number(&text, report->lost);
        wisp_text_add(&text, " of ");
        wisp_text_add_number(&text, report->received + report->lost);
        wisp_text_add(&text, " lost  jitter ");
        wisp_text_add_decimals(&text, report->jitter / WISP_US(1), 3);
        wisp_text_add(&text, " ms");
    }
    wisp_text_add(&text, "\n");
    wisp_platform_output(line, text.used < text.size ? text.used : text.size);
}

static bool read_remote(struct iperf *iperf)
{
    const char *client = wisp_platform_param("client");
    struct wisp_ip4 ip;
    if (!client) {
        return false;
    }
    if (!wisp_ip4_parse(client, wisp_text_length(client), &ip)) {
        wisp_platform_exit(2, "--client is an address like 10.0.0.1");
    }
    iperf->remote = wisp_addr_ip4(ip);
    return true;
}

static int run(struct iperf *iperf, bool client, bool udp)
{
    if (client) {
        return udp ? iperf_udp_client(iperf) : iperf_tcp_client(iperf);
    }
    if (udp) {
        iperf_udp_server(iperf);
    } else {
        iperf_tcp_server(iperf);
    }
    return 0;
}

int wisp_app_main(void)
{
    static struct iperf iperf;
    bool client = read_remote(&iperf);
    iperf.port = (uint16_t)wisp_net_number("port", 1, 65535);
    iperf.duration = WISP_SEC(wisp_net_number("time", 1, 86400));
    iperf.length = wisp_net_number("length", IPERF_HEADER + IPERF_REPORT, 65507);
    iperf.mbits = wisp_net_number("bandwidth", 1, 100000);
    wisp_net_open(&iperf.net, &(struct wisp_net_config){.reassembly = &wisp_ipv4_reassembly});
    int status = run(&iperf, client, wisp_platform_param("udp") != NULL);
    wisp_net_close(&iperf.net);
    return status;
}
