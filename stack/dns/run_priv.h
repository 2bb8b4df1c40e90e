/* SPDX-License-Identifier: ISC */
/* Between the resolver's driver (run.c) and its way by TCP (run_tcp.c), which is linked only if named. */
#ifndef WISP_DNS_RUN_PRIV_H
#define WISP_DNS_RUN_PRIV_H

#include <wisp/dns_run.h>

/* What came of looking at a connection. */
enum dns_tcp_state { DNS_TCP_WAITING, DNS_TCP_ANSWERED, DNS_TCP_FAILED };

struct wisp_dns_tcp_ops {
    /* Connects to server and queues the message behind its length; null: it cannot be done. */
    struct wisp_tcp_conn *(*open)(struct wisp_tcp *tcp, const struct wisp_dns_message *message,
                                  wisp_time now);

    /* A whole answer is copied to bytes[WISP_DNS_RESPONSE_MAX]. */
    enum dns_tcp_state (*look)(struct wisp_tcp_conn *conn, uint8_t *bytes, uint32_t *length);

    void (*close)(struct wisp_tcp_conn *conn);
};

#endif
