/* SPDX-License-Identifier: ISC */
/*
 * Addresses. Each kind is a struct of octets in wire order, so that kinds cannot be mixed, compared with
 * operators, or have their byte order forgotten. The public interface speaks struct wisp_addr, which
 * carries its family; modules that know the family use the plain kinds.
 */
#ifndef WISP_ADDR_H
#define WISP_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wisp_mac {
    uint8_t octet[6];
};

struct wisp_ip4 {
    uint8_t octet[4];
};

struct wisp_ip6 {
    uint8_t octet[16];
};

enum wisp_family {
    WISP_FAMILY_NONE = 0, /* no address; as a local address: any */
    WISP_FAMILY_IP4 = 4,
    WISP_FAMILY_IP6 = 6
};

struct wisp_addr {
    uint8_t family; /* enum wisp_family */
    union {
        struct wisp_ip4 ip4;
        struct wisp_ip6 ip6;
    } u;
};

/* The address a.b.c.d. */
static inline struct wisp_ip4 wisp_ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    struct wisp_ip4 ip = {{a, b, c, d}};
    return ip;
}

/* The address as a number, most significant octet first: 10.0.0.1 is 0x0a000001. */
static inline uint32_t wisp_ip4_value(struct wisp_ip4 ip)
{
    uint32_t wire;
    /* one load and one swap, which shifts of octets do not become */
    __builtin_memcpy(&wire, ip.octet, sizeof(wire));
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap32(wire) : wire;
}

/* The address of a number as wisp_ip4_value gives it. */
static inline struct wisp_ip4 wisp_ip4_from_value(uint32_t value)
{
    return wisp_ip4((uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                    (uint8_t)value);
}

/* Same octets. */
static inline bool wisp_ip4_equal(struct wisp_ip4 a, struct wisp_ip4 b)
{
    return __builtin_memcmp(a.octet, b.octet, sizeof(a.octet)) == 0;
}

/* The network mask of prefix length 0..32, as a number. */
static inline uint32_t wisp_ip4_mask(uint8_t prefix)
{
    return prefix == 0 ? 0 : UINT32_MAX << (32 - prefix);
}

/* Whether a single host may have that address, looked at alone: not 0/8, 127/8, 224/4, 240/4 (RFC 1122 §3.2.1.3). From
 * anywhere, as the next one. */
static inline bool wisp_ip4_is_host(struct wisp_ip4 ip)
{
    uint8_t first = ip.octet[0];
    return first != 0 && first != 127 && first < 224;
}

/* The same in a network of prefix bits (0..32), whose own and broadcast address are no host's; of 31 and 32 there are none. */
static inline bool wisp_ip4_is_host_within(struct wisp_ip4 ip, uint8_t prefix)
{
    uint32_t host = wisp_ip4_value(ip) & ~wisp_ip4_mask(prefix);
    return wisp_ip4_is_host(ip) && (prefix > 30 || (host != 0 && host != ~wisp_ip4_mask(prefix)));
}

/* Same octets. */
static inline bool wisp_mac_equal(struct wisp_mac a, struct wisp_mac b)
{
    return ((a.octet[0] ^ b.octet[0]) | (a.octet[1] ^ b.octet[1]) | (a.octet[2] ^ b.octet[2]) |
            (a.octet[3] ^ b.octet[3]) | (a.octet[4] ^ b.octet[4]) | (a.octet[5] ^ b.octet[5])) == 0;
}

/* A tagged address of the IPv4 kind. */
static inline struct wisp_addr wisp_addr_ip4(struct wisp_ip4 ip)
{
    struct wisp_addr addr = {WISP_FAMILY_IP4, {{{0}}}};
    addr.u.ip4 = ip;
    return addr;
}

/* The address that stands for "any" or "none". */
static inline struct wisp_addr wisp_addr_any(void)
{
    struct wisp_addr addr = {WISP_FAMILY_NONE, {{{0}}}};
    return addr;
}

/* Same family and same octets. */
bool wisp_addr_equal(const struct wisp_addr *a, const struct wisp_addr *b);

/* Longest text wisp_addr_text writes, with the final zero. */
#define WISP_ADDR_TEXT_MAX 46

/*
 * Writes addr in its usual notation ("10.0.0.1"; RFC 5952 for IPv6) and a final zero to text, which has
 * size bytes; size >= WISP_ADDR_TEXT_MAX always suffices. Returns the length without the zero, 0 when it
 * did not fit (text is then "").
 */
size_t wisp_addr_text(const struct wisp_addr *addr, char *text, size_t size);

/*
 * Reads "10.0.0.2" from the len characters at text, all of them. False, and *ip unchanged, for anything
 * but four decimal numbers 0..255 without leading zeros, joined by dots.
 */
bool wisp_ip4_parse(const char *text, size_t len, struct wisp_ip4 *ip);

/* Reads "10.0.0.2/24"; without "/n" *prefix is 32. Same rules and result as wisp_ip4_parse. */
bool wisp_ip4_parse_prefix(const char *text, size_t len, struct wisp_ip4 *ip, uint8_t *prefix);

/* Reads "02:00:00:00:00:01"; both cases of hex digits. */
bool wisp_mac_parse(const char *text, size_t len, struct wisp_mac *mac);

#ifdef __cplusplus
}
#endif
#endif
