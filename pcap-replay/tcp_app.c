/* SPDX-License-Identifier: ISC */
/*
 * Our application, inferred from what the captured side sent:
 *
 *   it sent payload             the application wrote these bytes then, and wanted them sent (no Nagle)
 *   it sent a FIN               it had no more to write; it went on reading
 *   it sent a RST               it gave the connection up
 *   it offered a window of 0    it stopped reading, until it offered more
 *
 * Everything the stack delivers is compared with the captured peer's stream.
 */
#include "tcp_engine.h"
#include <string.h>

bool tcp_app_open(struct tcp_engine *engine)
{
    struct session *session = engine->session;
    struct wisp_tcp *tcp = rig_tcp(session->rig);
    const struct flow *flow = session->flow;
    if (!flow->opened_by_dut) {
        return wisp_tcp_listen(tcp, NULL, flow->dut_port, 8, &engine->listener) == WISP_OK;
    }
    return true;
}

static void start_connecting(struct tcp_engine *engine)
{
    struct session *session = engine->session;
    const struct flow *flow = session->flow;
    struct wisp_addr local = wisp_addr_ip4(wisp_ip4_from_value(session->ends.to));
    struct wisp_addr remote = wisp_addr_ip4(wisp_ip4_from_value(session->ends.from));
    if (wisp_tcp_connect(rig_tcp(session->rig), &local, flow->dut_port, &remote, flow->peer_port,
                         session->now, &engine->conn) == WISP_OK) {
        wisp_tcp_set_nodelay(engine->conn, true);
    }
}

void tcp_app_follow(struct tcp_engine *engine, const struct flow_frame *frame)
{
    if ((frame->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) {
        if (engine->session->flow->opened_by_dut && !engine->conn) {
            start_connecting(engine);
        }
        return;
    }
    if (frame->flags & TCP_RST) {
        if (engine->conn && !engine->closed && !engine->aborted) {
            engine->aborted = true;
            wisp_tcp_abort(engine->conn);
        }
        return;
    }
    if (frame->flags & TCP_ACK) {
        uint64_t told = stream_offset(engine->in, frame->ack, engine->told);
        engine->told = told > engine->told && told <= engine->sent ? told : engine->told;
    }
    uint64_t end = stream_offset(engine->out, frame->seq, engine->may_write) + frame->length;
    if (frame->length && end <= engine->out->length && end > engine->may_write) {
        engine->may_write = end;
    }
    engine->end_wanted |= (frame->flags & TCP_FIN) != 0;
    engine->paused = frame->window == 0 && !(frame->flags & TCP_FIN);
}

static bool read_some(struct tcp_engine *engine)
{
    uint8_t bytes[16384];
    struct stream *in = engine->in;
    uint32_t n = wisp_tcp_read(engine->conn, bytes, sizeof(bytes));
    for (uint32_t i = 0; i < n && !engine->wrong; i++) {
        uint64_t at = engine->read + i;
        if (at >= in->length || bytes[i] != in->bytes[at]) {
            engine->wrong = true;
            session_fail(engine->session, NULL, "byte %llu of what the application received is %s",
                         (unsigned long long)at,
                         at >= in->length ? "beyond the captured end" : "another one");
        }
    }
    engine->read += n;
    engine->session->result->bytes_in = engine->read;
    return n > 0;
}

static bool write_some(struct tcp_engine *engine)
{
    struct stream *out = engine->out;
    bool acted = false;
    while (engine->written < engine->may_write) {
        uint64_t left = engine->may_write - engine->written;
        uint32_t part = left < 65536 ? (uint32_t)left : 65536;
        uint32_t n = wisp_tcp_write(engine->conn, out->bytes + engine->written, part);
        engine->written += n;
        acted |= n > 0;
        if (n < part) {
            break;
        }
    }
    if (engine->end_wanted && !engine->shut && out->fin && engine->written == out->fin_at) {
        engine->shut = true;
        wisp_tcp_shutdown(engine->conn);
        acted = true;
    }
    return acted;
}

static void take_events(struct tcp_engine *engine)
{
    struct wisp_tcp_event event;
    while (wisp_tcp_next_event(rig_tcp(engine->session->rig), &event)) {
        if ((event.what & WISP_TCP_ACCEPTED) && !engine->conn) {
            engine->conn = event.conn;
            engine->connected = true;
            wisp_tcp_set_nodelay(engine->conn, true);
        } else if (event.what & WISP_TCP_ACCEPTED) {
            wisp_tcp_abort(event.conn);
            wisp_tcp_release(event.conn);
            continue;
        }
        if (event.conn != engine->conn) {
            continue;
        }
        engine->connected |= (event.what & WISP_TCP_CONNECTED) != 0;
        if (event.what & WISP_TCP_CLOSED) {
            engine->closed = true;
        }
    }
}

bool tcp_app_step(struct tcp_engine *engine)
{
    bool acted = false;
    take_events(engine);
    if (!engine->conn) {
        return false;
    }
    while (!engine->paused && read_some(engine)) {
        acted = true;
    }
    if (engine->closed) {
        wisp_tcp_release(engine->conn);
        engine->conn = NULL;
        return acted;
    }
    return (engine->connected && write_some(engine)) || acted;
}

void tcp_app_close(struct tcp_engine *engine)
{
    if (engine->conn) {
        wisp_tcp_release(engine->conn);
    }
    if (engine->listener) {
        wisp_tcp_listener_close(engine->listener);
    }
}
