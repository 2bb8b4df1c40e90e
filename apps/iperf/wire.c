/* SPDX-License-Identifier: ISC */
/*
 * iperf 2's formats, as version 2.1 speaks them: 32-bit words in network order. A datagram starts with the low
 * half of its number, seconds, microseconds and the high half of its number. A report has flags, the two halves
 * of the byte count, seconds and microseconds of duration, lost, out of order, highest number, seconds and
 * microseconds of jitter.
 */
#include "iperf.h"

#define FLAG_VERSION1 0x80000000u

static uint32_t word(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static wisp_time time_at(const uint8_t *p)
{
    return WISP_SEC(word(p)) + WISP_US(word(p + 4));
}

static void put_time(uint8_t *p, wisp_time t)
{
    put(p, (uint32_t)(t / WISP_SEC(1)));
    put(p + 4, (uint32_t)(t % WISP_SEC(1) / WISP_US(1)));
}

struct iperf_datagram iperf_parse(const uint8_t bytes[IPERF_HEADER])
{
    uint64_t number = (uint64_t)word(bytes + 12) << 32 | word(bytes);
    bool last = (word(bytes) & 0x80000000u) != 0; /* also when the high half was left at 0 */
    if (last) {
        number = 0u - (number | ((uint64_t)UINT32_MAX << 32));
    }
    return (struct iperf_datagram){(int64_t)number, last, time_at(bytes + 4)};
}

void iperf_emit(uint8_t bytes[IPERF_HEADER], const struct iperf_datagram *datagram)
{
    uint64_t number = (uint64_t)(datagram->last ? -datagram->number : datagram->number);
    put(bytes, (uint32_t)number);
    put_time(bytes + 4, datagram->sent);
    put(bytes + 12, (uint32_t)(number >> 32));
}

void iperf_report_emit(uint8_t bytes[IPERF_REPORT], const struct iperf_report *report)
{
    put(bytes, FLAG_VERSION1);
    put(bytes + 4, (uint32_t)(report->bytes >> 32));
    put(bytes + 8, (uint32_t)report->bytes);
    put_time(bytes + 12, report->lasted);
    put(bytes + 20, (uint32_t)report->lost);
    put(bytes + 24, (uint32_t)report->out_of_order);
    put(bytes + 28, (uint32_t)(report->received + report->lost));
    put_time(bytes + 32, report->jitter);
}

bool iperf_report_parse(const uint8_t bytes[IPERF_REPORT], struct iperf_report *report)
{
    report->datagrams = true;
    report->bytes = (uint64_t)word(bytes + 4) << 32 | word(bytes + 8);
    report->lasted = time_at(bytes + 12);
    report->lost = word(bytes + 20);
    report->out_of_order = word(bytes + 24);
    uint64_t all = word(bytes + 28);
    report->received = all > report->lost ? all - report->lost : 0;
    report->jitter = time_at(bytes + 32);
    return (word(bytes) & FLAG_VERSION1) != 0;
}
