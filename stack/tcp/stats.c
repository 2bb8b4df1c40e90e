/* SPDX-License-Identifier: ISC */
/* The names of what is counted, and the sizes TCP answers for. */
#include "tcp_priv.h"

static const char *const names[TCP_COUNTS] = {
    [TCP_RX_SEGMENTS] = "tcp.rx.segments",
    [TCP_RX_BYTES] = "tcp.rx.bytes",
    [TCP_RX_BAD_HEADER] = "tcp.rx.bad_header",
    [TCP_RX_BAD_CHECKSUM] = "tcp.rx.bad_checksum",
    [TCP_RX_BAD_OPTION] = "tcp.rx.bad_option",
    [TCP_RX_BROADCAST] = "tcp.rx.broadcast",
    [TCP_RX_NO_CONNECTION] = "tcp.rx.no_connection",
    [TCP_RX_BAD_FLAGS] = "tcp.rx.bad_flags",
    [TCP_RX_OUT_OF_WINDOW] = "tcp.rx.out_of_window",
    [TCP_RX_DUPLICATE_BYTES] = "tcp.rx.duplicate_bytes",
    [TCP_RX_PAWS] = "tcp.rx.paws",
    [TCP_RX_NO_TIMESTAMP] = "tcp.rx.no_timestamp",
    [TCP_RX_NO_ACK] = "tcp.rx.no_ack",
    [TCP_RX_BAD_ACK] = "tcp.rx.bad_ack",
    [TCP_RX_OUT_OF_ORDER] = "tcp.rx.out_of_order",
    [TCP_RX_PRUNED] = "tcp.rx.pruned",
    [TCP_RX_NO_MEMORY] = "tcp.rx.no_memory",
    [TCP_RX_AFTER_CLOSE] = "tcp.rx.after_close",
    [TCP_RX_RST] = "tcp.rx.rst",
    [TCP_RX_BAD_RST] = "tcp.rx.bad_rst",
    [TCP_RX_SYN_REFUSED] = "tcp.rx.syn_refused",
    [TCP_RX_BACKLOG_FULL] = "tcp.rx.backlog_full",
    [TCP_RX_TIME_WAIT] = "tcp.rx.time_wait",
    [TCP_TX_SEGMENTS] = "tcp.tx.segments",
    [TCP_TX_BYTES] = "tcp.tx.bytes",
    [TCP_TX_RST] = "tcp.tx.rst",
    [TCP_TX_FAILED] = "tcp.tx.failed",
    [TCP_TX_REPLIES_LOST] = "tcp.tx.replies_lost",
    [TCP_CHALLENGE_ACKS] = "tcp.challenge_acks",
    [TCP_CHALLENGES_WITHHELD] = "tcp.challenges_withheld",
    [TCP_RETRANSMITS] = "tcp.retransmits",
    [TCP_FAST_RETRANSMITS] = "tcp.fast_retransmits",
    [TCP_TIMEOUTS] = "tcp.timeouts",
    [TCP_WAITED_FOR_DEVICE] = "tcp.waited_for_device",
    [TCP_PROBES] = "tcp.probes",
    [TCP_KEEPALIVES] = "tcp.keepalives",
    [TCP_COPIED_WRITE] = "tcp.bytes_copied_write",
    [TCP_COPIED_SMALL] = "tcp.bytes_copied_small",
    [TCP_COPIED_COLLECT] = "tcp.bytes_copied_collect",
    [TCP_COPIED_READ] = "tcp.bytes_copied_read",
    [TCP_COPIED_LINEAR] = "tcp.bytes_copied_linear",
    [TCP_OPENED_ACTIVE] = "tcp.opened_active",
    [TCP_OPENED_PASSIVE] = "tcp.opened_passive",
    [TCP_CLOSED_RESET] = "tcp.closed_reset",
    [TCP_CLOSED_TIMEOUT] = "tcp.closed_timeout",
    [TCP_TIME_WAIT_EVICTED] = "tcp.time_wait_evicted",
    [TCP_TIME_WAIT_REUSED] = "tcp.time_wait_reused",
    [TCP_HALF_OPEN_EVICTED] = "tcp.half_open_evicted",
    [TCP_ICMP_IGNORED] = "tcp.icmp_ignored",
    [TCP_ICMP_SOFT] = "tcp.icmp_soft",
    [TCP_ICMP_HARD] = "tcp.icmp_hard",
    [TCP_STARVED] = "tcp.starved",
};

bool wisp_tcp_counter(const struct wisp_tcp *tcp, uint32_t index, struct wisp_counter *counter)
{
    if (index >= TCP_COUNTS) {
        return false;
    }
    *counter = (struct wisp_counter){names[index], tcp->count[index]};
    return true;
}

size_t wisp_tcp_idle_size(void)
{
    return sizeof(struct wisp_tcp_conn) + sizeof(struct tcp_slot);
}

size_t wisp_tcp_time_wait_size(void)
{
    return sizeof(struct tcp_time_wait4) + sizeof(struct tcp_slot);
}

void wisp_tcp_population(const struct wisp_tcp *tcp, uint32_t *connections, uint32_t *half_open,
                         uint32_t *time_wait)
{
    *connections = tcp->conns;
    *half_open = tcp->halves;
    *time_wait = tcp->waits;
}
