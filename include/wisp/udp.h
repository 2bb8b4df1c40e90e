/* SPDX-License-Identifier: ISC */
/*
 * UDP (RFC 768, RFC 1122 §4.1, RFC 8085): bound sockets, received datagrams pulled by the application.
 *
 * One struct wisp_udp belongs to one stack and one thread at a time, its sockets and datagrams with it. None of these
 * functions calls back. What is sent leaves in the next wisp_stack_flush or wisp_stack_poll, whichever comes first.
 */
#ifndef WISP_UDP_H
#define WISP_UDP_H

#include <wisp/l3.h>
#include <wisp/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wisp_udp;
struct wisp_udp_socket;

struct wisp_udp_config {
    uint16_t sockets; /* default 16 */
    uint16_t queue;   /* datagrams one socket may hold, default 64 */
    uint32_t pages;   /* pages all sockets' queues may hold, default 128 */
    uint32_t packets; /* datagrams queued or with the application, in all, default 256 */
    wisp_hash_fn hash;
    uint8_t seed[32]; /* secret and unpredictable: ports hang on it (RFC 6056) */
};

/* Fills config with defaults; hash and seed stay for the caller. */
void wisp_udp_config_default(struct wisp_udp_config *config);

/* Bytes of memory that wisp_udp_init needs for config, which it reads and does not keep. Pure: no errors. */
size_t wisp_udp_size(const struct wisp_udp_config *config);

/* Null when mem (64-aligned) is too small. */
struct wisp_udp *wisp_udp_init(void *mem, size_t size, const struct wisp_udp_config *config);

/* Ends all sockets and drops what they hold; afterwards udp holds no page. Datagrams already taken stay their
 * owner's. Before wisp_stack_fini, and never between a step's calls. */
void wisp_udp_fini(struct wisp_udp *udp);

/* For wisp_stack_attach. */
struct wisp_transport *wisp_udp_transport(struct wisp_udp *udp);

/*
 * Binds a socket to local (null: any address of ours) and port (0: an unpredictable free one, RFC 6056).
 * IN_USE, FULL. broadcast: also receives what is sent to broadcast addresses.
 */
enum wisp_err wisp_udp_open(struct wisp_udp *udp, const struct wisp_addr *local, uint16_t port,
                            bool broadcast, struct wisp_udp_socket **socket);

/* Ends the socket and drops what it holds. */
void wisp_udp_close(struct wisp_udp_socket *socket);

/* The port the socket is bound to, 1..65535: the chosen one where 0 was asked for. */
uint16_t wisp_udp_port(const struct wisp_udp_socket *socket);

/* TTL (1..255) and DiffServ octet of what is sent from now on. */
void wisp_udp_set(struct wisp_udp_socket *socket, uint8_t ttl, uint8_t tos);

/* The application's own pointer. */
void wisp_udp_set_cookie(struct wisp_udp_socket *socket, void *cookie);
void *wisp_udp_cookie(const struct wisp_udp_socket *socket);

struct wisp_udp_datagram {
    struct wisp_addr local, remote;
    uint16_t local_port, remote_port;
    uint8_t ttl, tos;
    bool broadcast;
    struct wisp_pkt *pkt; /* starts at the payload; owned by whoever got the datagram */
};

/*
 * Level-triggered: the next socket with something to tell, or null. A socket is returned once per
 * wisp_stack_poll until its queue is empty.
 */
struct wisp_udp_socket *wisp_udp_next(struct wisp_udp *udp);

/* Takes the oldest datagram; the caller owns datagram->pkt and ends it by wisp_pkt_drop or by sending it
 * back with wisp_udp_send_pkt. False: none. */
bool wisp_udp_receive(struct wisp_udp_socket *socket, struct wisp_udp_datagram *datagram);

/* The newest ICMP error about what the socket sent, or false. One waits per socket; a later one replaces it. */
bool wisp_udp_error(struct wisp_udp_socket *socket, struct wisp_icmp_error *error,
                    uint16_t *remote_port);

/*
 * Sends length bytes as one datagram to remote and port; local null: the route's source. Up to
 * WISP_CELL_BODY - 8 bytes are copied next to the headers, more onto pages (counted). It leaves in the next
 * wisp_stack_flush or wisp_stack_poll. AGAIN: no packet or page, poll first; INVALID: length > 65507 or an impossible address;
 * UNREACHABLE.
 */
enum wisp_err wisp_udp_send(struct wisp_udp_socket *socket, const struct wisp_addr *local,
                            const struct wisp_addr *remote, uint16_t port, const void *bytes,
                            uint32_t length, wisp_time now);

/* The same with the payload in views, at most as many as the device takes in one packet (INVALID; a link and
 * netfront take WISP_PKT_VIEWS - 1), by reference: each page is referenced anew and let go when the device is
 * done. */
enum wisp_err wisp_udp_send_views(struct wisp_udp_socket *socket, const struct wisp_addr *local,
                                  const struct wisp_addr *remote, uint16_t port,
                                  const struct wisp_view *views, uint32_t count, wisp_time now);

/* The same with the payload of pkt, which starts at it (a received datagram's packet). Moved, whatever is
 * returned; its pages are sent by reference. */
enum wisp_err wisp_udp_send_pkt(struct wisp_udp_socket *socket, const struct wisp_addr *local,
                                const struct wisp_addr *remote, uint16_t port, struct wisp_pkt *pkt,
                                wisp_time now);

/* Counter number index, as wisp_stack_counter. */
bool wisp_udp_counter(const struct wisp_udp *udp, uint32_t index, struct wisp_counter *counter);

#ifdef __cplusplus
}
#endif
#endif
