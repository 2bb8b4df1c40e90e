/* SPDX-License-Identifier: ISC */
/*
 * UDP: datagrams carry a number and the time; what is missing between them was lost. The last one has a negative
 * number and is answered by the server's report, as often as it comes. Jitter is RFC 3550's. One client at a
 * time: datagrams of another one while one is sending are left out.
 */
#include "iperf.h"
#include "serve.h"
#include <string.h>

#define SILENCE WISP_SEC(10) /* then another client may begin */

struct transfer {
    struct wisp_addr remote;
    uint16_t port;
    bool ended;
    wisp_time first, last;
    int64_t highest;
    uint64_t bytes, received, out_of_order;
    int64_t transit;
    wisp_time jitter;
};

static struct transfer current;

static void begin(const struct wisp_udp_datagram *from, wisp_time now)
{
    current = (struct transfer){
        .remote = from->remote, .port = from->remote_port, .first = now, .last = now};
}

static void count(const struct iperf_datagram *datagram, uint32_t length, wisp_time now)
{
    int64_t transit = (int64_t)(now - datagram->sent);
    if (current.received++ > 0) {
        int64_t change = transit - current.transit;
        wisp_time size = (wisp_time)(change < 0 ? -change : change);
        current.jitter = current.jitter - current.jitter / 16 + size / 16;
    }
    current.transit = transit;
    current.bytes += length;
    if (datagram->number <= current.highest && current.received > 1) {
        current.out_of_order++;
    } else {
        current.highest = datagram->number;
    }
}

/* Numbers start at 0 or 1: so many were sent as the highest says, at least. */
static struct iperf_report report_of(const struct transfer *transfer)
{
    uint64_t sent = transfer->highest > 0 ? (uint64_t)transfer->highest : 0;
    return (struct iperf_report){
        .remote = &transfer->remote,
        .port = transfer->port,
        .lasted = transfer->last - transfer->first,
        .bytes = transfer->bytes,
        .datagrams = true,
        .received = transfer->received,
        .lost = sent > transfer->received ? sent - transfer->received : 0,
        .out_of_order = transfer->out_of_order,
        .jitter = transfer->jitter,
    };
}

static void answer(struct wisp_udp_socket *socket, const struct wisp_udp_datagram *from,
                   const uint8_t header[IPERF_HEADER], wisp_time now)
{
    uint8_t bytes[IPERF_HEADER + IPERF_REPORT];
    struct iperf_report report = report_of(&current);
    memcpy(bytes, header, IPERF_HEADER);
    iperf_report_emit(bytes + IPERF_HEADER, &report);
    (void)wisp_udp_send(socket, &from->local, &from->remote, from->remote_port, bytes,
                        sizeof(bytes), now);
    if (!current.ended) {
        iperf_print(&report);
        current.ended = true;
    }
}

static void server_datagram(struct wisp_udp_socket *socket, const struct wisp_udp_datagram *from,
                            wisp_time now)
{
    uint8_t header[IPERF_HEADER];
    if (!wisp_pkt_read(from->pkt, 0, header, sizeof(header))) {
        return;
    }
    struct iperf_datagram datagram = iperf_parse(header);
    bool same =
        wisp_addr_equal(&from->remote, &current.remote) && from->remote_port == current.port;
    bool busy = !current.ended && current.received > 0 && now < current.last + SILENCE;
    if (!same && (busy || datagram.last)) {
        return;
    }
    if (!same || (current.ended && !datagram.last)) {
        begin(from, now);
    }
    if (!current.ended) {
        current.last = now;
        count(&datagram, from->pkt->length, now);
    }
    if (datagram.last) {
        answer(socket, from, header, now);
    }
}

void iperf_udp_server(struct iperf *iperf)
{
    wisp_serve_udp(&iperf->net, iperf->port, server_datagram);
}

struct sender {
    struct iperf *iperf;
    struct wisp_udp *udp;
    struct wisp_udp_socket *socket;
    wisp_time start, next, interval;
    int64_t number;
    uint32_t endings; /* how often the end was told */
    bool over;
    struct iperf_report report;
};

static uint8_t payload[65507];

/* One datagram; false: no room for it now. */
static bool send_one(struct sender *sender, bool last)
{
    struct iperf *iperf = sender->iperf;
    struct iperf_datagram datagram = {sender->number, last, iperf->net.now};
    iperf_emit(payload, &datagram);
    enum wisp_err err = wisp_udp_send(sender->socket, NULL, &iperf->remote, iperf->port, payload,
                                      iperf->length, iperf->net.now);
    if (err && err != WISP_ERR_AGAIN) {
        wisp_platform_exit(1, wisp_err_text(err));
    }
    return err == WISP_OK;
}

static bool send_due(struct sender *sender)
{
    bool acted = false;
    wisp_time end = sender->start + sender->iperf->duration;
    while (sender->next <= sender->iperf->net.now && sender->next < end) {
        sender->number++;
        if (!send_one(sender, false)) {
            sender->number--;
            return true;
        }
        sender->next += sender->interval;
        acted = true;
    }
    return acted;
}

/* The end is told ten times, a quarter of a second apart, until the server answers. */
static bool send_end(struct sender *sender)
{
    if (sender->next > sender->iperf->net.now) {
        return false;
    }
    if (sender->endings++ == 10) {
        sender->over = true;
        return false;
    }
    sender->number += sender->endings == 1 ? 1 : 0;
    (void)send_one(sender, true);
    sender->next = sender->iperf->net.now + WISP_MS(250);
    return true;
}

static void listen(struct sender *sender)
{
    struct wisp_udp_datagram from;
    uint8_t bytes[IPERF_HEADER + IPERF_REPORT];
    while (wisp_udp_next(sender->udp)) {
        while (wisp_udp_receive(sender->socket, &from)) {
            if (sender->endings > 0 && wisp_pkt_read(from.pkt, 0, bytes, sizeof(bytes))) {
                sender->over |= iperf_report_parse(bytes + IPERF_HEADER, &sender->report);
            }
            wisp_pkt_drop(from.pkt);
        }
    }
}

static bool step(struct sender *sender)
{
    listen(sender);
    bool sending = sender->iperf->net.now < sender->start + sender->iperf->duration;
    return sending ? send_due(sender) : !sender->over && send_end(sender);
}

int iperf_udp_client(struct iperf *iperf)
{
    struct sender sender = {.iperf = iperf, .start = iperf->net.now, .next = iperf->net.now};
    sender.interval = (wisp_time)iperf->length * 8000 / iperf->mbits;
    sender.report = (struct iperf_report){.remote = &iperf->remote, .port = iperf->port};
    sender.udp = wisp_net_udp(&iperf->net, NULL);
    enum wisp_err err = wisp_udp_open(sender.udp, NULL, 0, false, &sender.socket);
    if (err) {
        wisp_platform_exit(1, wisp_err_text(err));
    }
    bool acted = true;
    while (!sender.over && wisp_net_step(&iperf->net, acted ? 0 : sender.next)) {
        acted = step(&sender);
    }
    if (sender.report.datagrams) {
        iperf_print(&sender.report);
    } else {
        wisp_platform_log(WISP_LOG_ERROR, "iperf", "the server does not answer");
    }
    wisp_udp_close(sender.socket);
    return sender.report.datagrams ? 0 : 1;
}
