/* SPDX-License-Identifier: ISC */
/* Reading and writing addresses as text, strictly: what is not the usual notation is not an address. */
#include <string.h>
#include <wisp/addr.h>

bool wisp_addr_equal(const struct wisp_addr *a, const struct wisp_addr *b)
{
    if (a->family != b->family) {
        return false;
    }
    switch (a->family) {
    case WISP_FAMILY_IP4:
        return wisp_ip4_equal(a->u.ip4, b->u.ip4);
    case WISP_FAMILY_IP6:
        return memcmp(&a->u.ip6, &b->u.ip6, sizeof(a->u.ip6)) == 0;
    default:
        return true;
    }
}

static size_t put_decimal(char *text, uint8_t v)
{
    size_t n = 0;
    if (v >= 100) {
        text[n++] = (char)('0' + v / 100);
    }
    if (v >= 10) {
        text[n++] = (char)('0' + v / 10 % 10);
    }
    text[n++] = (char)('0' + v % 10);
    return n;
}

static size_t put_ip4(char *text, const struct wisp_ip4 *ip)
{
    size_t n = 0;
    for (int i = 0; i < 4; i++) {
        if (i > 0) {
            text[n++] = '.';
        }
        n += put_decimal(text + n, ip->octet[i]);
    }
    return n;
}

/* The longest run of at least two zero groups, the first of equals (RFC 5952 §4.2). */
static void longest_zeros(const uint16_t group[8], int *start, int *length)
{
    *start = -1;
    *length = 1;
    for (int i = 0; i < 8; i++) {
        int run = 0;
        while (i + run < 8 && group[i + run] == 0) {
            run++;
        }
        if (run > *length) {
            *start = i;
            *length = run;
        }
    }
}

static size_t put_group(char *text, uint16_t v)
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;
    for (int shift = 12; shift >= 0; shift -= 4) {
        if (n > 0 || shift == 0 || v >> shift) {
            text[n++] = digits[v >> shift & 15];
        }
    }
    return n;
}

static size_t put_ip6(char *text, const struct wisp_ip6 *ip)
{
    uint16_t group[8];
    for (int i = 0; i < 8; i++) {
        group[i] = (uint16_t)(ip->octet[2 * i] << 8 | ip->octet[2 * i + 1]);
    }
    int start;
    int length;
    longest_zeros(group, &start, &length);
    size_t n = 0;
    for (int i = 0; i < 8; i++) {
        if (i == start) {
            text[n++] = ':';
            text[n++] = ':';
            i += length - 1;
            continue;
        }
        if (n > 0 && text[n - 1] != ':') {
            text[n++] = ':';
        }
        n += put_group(text + n, group[i]);
    }
    return n;
}

size_t wisp_addr_text(const struct wisp_addr *addr, char *text, size_t size)
{
    char full[WISP_ADDR_TEXT_MAX];
    size_t n = 0;
    if (addr->family == WISP_FAMILY_IP4) {
        n = put_ip4(full, &addr->u.ip4);
    } else if (addr->family == WISP_FAMILY_IP6) {
        n = put_ip6(full, &addr->u.ip6);
    } else {
        memcpy(full, "any", 3);
        n = 3;
    }
    if (n + 1 > size) {
        if (size > 0) {
            text[0] = 0;
        }
        return 0;
    }
    memcpy(text, full, n);
    text[n] = 0;
    return n;
}

/* A decimal number 0..max without leading zeros at text[*at]; moves *at behind it. */
static bool get_decimal(const char *text, size_t len, size_t *at, uint32_t max, uint32_t *value)
{
    size_t start = *at;
    uint32_t v = 0;
    while (*at < len && text[*at] >= '0' && text[*at] <= '9') {
        v = v * 10 + (uint32_t)(text[*at] - '0');
        if (v > max || *at - start > 2) {
            return false;
        }
        (*at)++;
    }
    if (*at == start || (text[start] == '0' && *at - start > 1)) {
        return false;
    }
    *value = v;
    return true;
}

static bool get_ip4(const char *text, size_t len, size_t *at, struct wisp_ip4 *ip)
{
    struct wisp_ip4 result;
    for (int i = 0; i < 4; i++) {
        uint32_t v;
        if (i > 0) {
            if (*at >= len || text[*at] != '.') {
                return false;
            }
            (*at)++;
        }
        if (!get_decimal(text, len, at, 255, &v)) {
            return false;
        }
        result.octet[i] = (uint8_t)v;
    }
    *ip = result;
    return true;
}

bool wisp_ip4_parse(const char *text, size_t len, struct wisp_ip4 *ip)
{
    struct wisp_ip4 result;
    size_t at = 0;
    if (!get_ip4(text, len, &at, &result) || at != len) {
        return false;
    }
    *ip = result;
    return true;
}

bool wisp_ip4_parse_prefix(const char *text, size_t len, struct wisp_ip4 *ip, uint8_t *prefix)
{
    struct wisp_ip4 result;
    uint32_t bits = 32;
    size_t at = 0;
    if (!get_ip4(text, len, &at, &result)) {
        return false;
    }
    if (at < len) {
        if (text[at] != '/') {
            return false;
        }
        at++;
        if (!get_decimal(text, len, &at, 32, &bits) || at != len) {
            return false;
        }
    }
    *ip = result;
    *prefix = (uint8_t)bits;
    return true;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

bool wisp_mac_parse(const char *text, size_t len, struct wisp_mac *mac)
{
    struct wisp_mac result;
    if (len != 17) {
        return false;
    }
    for (int i = 0; i < 6; i++) {
        int high = hex_value(text[3 * i]);
        int low = hex_value(text[3 * i + 1]);
        if (high < 0 || low < 0 || (i < 5 && text[3 * i + 2] != ':')) {
            return false;
        }
        result.octet[i] = (uint8_t)(high << 4 | low);
    }
    *mac = result;
    return true;
}
