/* SPDX-License-Identifier: ISC */
/* The names of what is counted, and the sizes TCP answers for. */
#include "count_names.h"
#include "tcp_priv.h"

#define NAMES(NAME)                                                                                \
    NAME(TCP_RX_SEGMENTS, "tcp.rx.segments")                                                       \
    NAME(TCP_RX_BYTES, "tcp.rx.bytes")                                                             \
    NAME(TCP_RX_BAD_HEADER, "tcp.rx.bad_header")                                                   \
    NAME(TCP_RX_BAD_CHECKSUM, "tcp.rx.bad_checksum")                                               \
    NAME(TCP_RX_BAD_OPTION, "tcp.rx.bad_option")                                                   \
    NAME(TCP_RX_BROADCAST, "tcp.rx.broadcast")                                                     \
    NAME(TCP_RX_NO_CONNECTION, "tcp.rx.no_connection")                                             \
    NAME(TCP_RX_BAD_FLAGS, "tcp.rx.bad_flags")                                                     \
    NAME(TCP_RX_OUT_OF_WINDOW, "tcp.rx.out_of_window")                                             \
    NAME(TCP_RX_DUPLICATE_BYTES, "tcp.rx.duplicate_bytes")                                         \
    NAME(TCP_RX_PAWS, "tcp.rx.paws")                                                               \
    NAME(TCP_RX_NO_TIMESTAMP, "tcp.rx.no_timestamp")                                               \
    NAME(TCP_RX_NO_ACK, "tcp.rx.no_ack")                                                           \
    NAME(TCP_RX_BAD_ACK, "tcp.rx.bad_ack")                                                         \
    NAME(TCP_RX_OUT_OF_ORDER, "tcp.rx.out_of_order")                                               \
    NAME(TCP_RX_PRUNED, "tcp.rx.pruned")                                                           \
    NAME(TCP_RX_NO_MEMORY, "tcp.rx.no_memory")                                                     \
    NAME(TCP_RX_AFTER_CLOSE, "tcp.rx.after_close")                                                 \
    NAME(TCP_RX_RST, "tcp.rx.rst")                                                                 \
    NAME(TCP_RX_BAD_RST, "tcp.rx.bad_rst")                                                         \
    NAME(TCP_RX_SYN_REFUSED, "tcp.rx.syn_refused")                                                 \
    NAME(TCP_RX_BACKLOG_FULL, "tcp.rx.backlog_full")                                               \
    NAME(TCP_RX_TIME_WAIT, "tcp.rx.time_wait")                                                     \
    NAME(TCP_TX_SEGMENTS, "tcp.tx.segments")                                                       \
    NAME(TCP_TX_BYTES, "tcp.tx.bytes")                                                             \
    NAME(TCP_TX_RST, "tcp.tx.rst")                                                                 \
    NAME(TCP_TX_FAILED, "tcp.tx.failed")                                                           \
    NAME(TCP_TX_REPLIES_LOST, "tcp.tx.replies_lost")                                               \
    NAME(TCP_CHALLENGE_ACKS, "tcp.challenge_acks")                                                 \
    NAME(TCP_CHALLENGES_WITHHELD, "tcp.challenges_withheld")                                       \
    NAME(TCP_RETRANSMITS, "tcp.retransmits")                                                       \
    NAME(TCP_FAST_RETRANSMITS, "tcp.fast_retransmits")                                             \
    NAME(TCP_TIMEOUTS, "tcp.timeouts")                                                             \
    NAME(TCP_WAITED_FOR_DEVICE, "tcp.waited_for_device")                                           \
    NAME(TCP_PROBES, "tcp.probes")                                                                 \
    NAME(TCP_KEEPALIVES, "tcp.keepalives")                                                         \
    NAME(TCP_COPIED_WRITE, "tcp.bytes_copied_write")                                               \
    NAME(TCP_COPIED_SMALL, "tcp.bytes_copied_small")                                               \
    NAME(TCP_COPIED_COLLECT, "tcp.bytes_copied_collect")                                           \
    NAME(TCP_COPIED_READ, "tcp.bytes_copied_read")                                                 \
    NAME(TCP_COPIED_LINEAR, "tcp.bytes_copied_linear")                                             \
    NAME(TCP_OPENED_ACTIVE, "tcp.opened_active")                                                   \
    NAME(TCP_OPENED_PASSIVE, "tcp.opened_passive")                                                 \
    NAME(TCP_CLOSED_RESET, "tcp.closed_reset")                                                     \
    NAME(TCP_CLOSED_TIMEOUT, "tcp.closed_timeout")                                                 \
    NAME(TCP_TIME_WAIT_EVICTED, "tcp.time_wait_evicted")                                           \
    NAME(TCP_TIME_WAIT_REUSED, "tcp.time_wait_reused")                                             \
    NAME(TCP_HALF_OPEN_EVICTED, "tcp.half_open_evicted")                                           \
    NAME(TCP_ICMP_IGNORED, "tcp.icmp_ignored")                                                     \
    NAME(TCP_ICMP_SOFT, "tcp.icmp_soft")                                                           \
    NAME(TCP_ICMP_HARD, "tcp.icmp_hard")                                                           \
    NAME(TCP_STARVED, "tcp.starved")
WISP_COUNT_NAMES(NAMES, TCP_COUNTS);

bool wisp_tcp_counter(const struct wisp_tcp *tcp, uint32_t index, struct wisp_counter *counter)
{
    return wisp_count_at(&count_names, tcp->count, index, counter);
}

size_t wisp_tcp_idle_size(void)
{
    return sizeof(struct wisp_tcp_conn) + sizeof(struct tcp_cold) + sizeof(struct tcp_slot);
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
