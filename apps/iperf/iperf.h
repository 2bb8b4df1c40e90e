/* SPDX-License-Identifier: ISC */
/* The four parts of iperf (TCP and UDP, server and client) and what they share. */
#ifndef WISP_APPS_IPERF_H
#define WISP_APPS_IPERF_H

#include "net.h"

struct iperf {
    struct wisp_net net;
    struct wisp_addr remote; /* the client's */
    uint16_t port;
    uint32_t length;    /* payload of a datagram */
    uint32_t mbits;     /* rate of datagrams, Mbit/s */
    wisp_time duration; /* of the client's sending */
};

void iperf_tcp_server(struct iperf *iperf);
void iperf_udp_server(struct iperf *iperf);

/* Return the exit status. */
int iperf_tcp_client(struct iperf *iperf);
int iperf_udp_client(struct iperf *iperf);

/* What happened to one transfer. */
struct iperf_report {
    const struct wisp_addr *remote;
    uint16_t port;
    wisp_time lasted;
    uint64_t bytes;
    bool datagrams; /* the following count */
    uint64_t received, lost, out_of_order;
    wisp_time jitter;
};

/* Prints it in one line. */
void iperf_print(const struct iperf_report *report);

/* iperf 2's datagram: a header of four words, then payload; all in network order. A negative number ends. */
#define IPERF_HEADER 16u

struct iperf_datagram {
    int64_t number;
    bool last;
    wisp_time sent; /* the sender's clock */
};

struct iperf_datagram iperf_parse(const uint8_t bytes[IPERF_HEADER]);
void iperf_emit(uint8_t bytes[IPERF_HEADER], const struct iperf_datagram *datagram);

/* iperf 2's report of a UDP server, behind the header of the datagram it answers. */
#define IPERF_REPORT 40u

void iperf_report_emit(uint8_t bytes[IPERF_REPORT], const struct iperf_report *report);

/* False: not such a report. */
bool iperf_report_parse(const uint8_t bytes[IPERF_REPORT], struct iperf_report *report);

#endif
