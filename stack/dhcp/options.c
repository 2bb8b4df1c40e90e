/* SPDX-License-Identifier: ISC */
/*
 * Walking option areas (RFC 2131 §4.1, RFC 2132 §2, RFC 3396). One walk is linear in the message; areas are
 * checked once when opened, and walks afterwards rely on that. Option 52 counts only in the options field
 * itself, so areas cannot name areas. An area ends at its END or with its last octet.
 */
#include "options.h"
#include "bytes.h"
#include <string.h>

/* The next option of an area from *at on; false at its end, or (with *at beyond it) when it is malformed. */
static bool next_option(const uint8_t *area, size_t length, size_t *at, uint8_t *code,
                        uint8_t *size)
{
    while (*at < length && area[*at] == DHCP_OPTION_PAD) {
        (*at)++;
    }
    if (*at >= length || area[*at] == DHCP_OPTION_END) {
        return false;
    }
    if (length - *at < 2 || length - *at - 2 < area[*at + 1]) {
        *at = length + 1;
        return false;
    }
    *code = area[*at];
    *size = area[*at + 1];
    *at += 2;
    return true;
}

static bool is_sound(const uint8_t *area, size_t length)
{
    size_t at = 0;
    uint8_t code;
    uint8_t size;
    while (next_option(area, length, &at, &code, &size)) {
        at += size;
    }
    return at <= length;
}

static bool add_area(struct dhcp_options *options, const uint8_t *area, size_t length)
{
    if (!is_sound(area, length)) {
        return false;
    }
    options->area[options->areas].at = area;
    options->area[options->areas].length = length;
    options->areas++;
    return true;
}

bool dhcp_options_open(struct dhcp_options *options, const uint8_t *field, size_t length,
                       const uint8_t file[128], const uint8_t sname[64])
{
    uint8_t overload = 0;
    options->areas = 0;
    if (!add_area(options, field, length)) {
        return false;
    }
    dhcp_options_u8(options, DHCP_OPTION_OVERLOAD, &overload);
    if ((overload == 1 || overload == 3) && !add_area(options, file, 128)) {
        return false;
    }
    return !((overload == 2 || overload == 3) && !add_area(options, sname, 64));
}

size_t dhcp_options_find(const struct dhcp_options *options, uint8_t code, uint8_t *value,
                         size_t size)
{
    size_t total = 0;
    for (unsigned i = 0; i < options->areas; i++) {
        const uint8_t *area = options->area[i].at;
        size_t at = 0;
        uint8_t found;
        uint8_t part;
        while (next_option(area, options->area[i].length, &at, &found, &part)) {
            if (found == code && total < size) {
                memcpy(value + total, area + at, part < size - total ? part : size - total);
            }
            total += found == code ? part : 0u;
            at += part;
        }
    }
    return total;
}

bool dhcp_options_u8(const struct dhcp_options *options, uint8_t code, uint8_t *value)
{
    uint8_t bytes[1];
    if (dhcp_options_find(options, code, bytes, sizeof(bytes)) != sizeof(bytes)) {
        return false;
    }
    *value = bytes[0];
    return true;
}

bool dhcp_options_u16(const struct dhcp_options *options, uint8_t code, uint16_t *value)
{
    uint8_t bytes[2];
    if (dhcp_options_find(options, code, bytes, sizeof(bytes)) != sizeof(bytes)) {
        return false;
    }
    *value = wisp_be16_get(bytes);
    return true;
}

bool dhcp_options_u32(const struct dhcp_options *options, uint8_t code, uint32_t *value)
{
    uint8_t bytes[4];
    if (dhcp_options_find(options, code, bytes, sizeof(bytes)) != sizeof(bytes)) {
        return false;
    }
    *value = wisp_be32_get(bytes);
    return true;
}

bool dhcp_options_ip4(const struct dhcp_options *options, uint8_t code, struct wisp_ip4 *value)
{
    uint32_t number;
    if (!dhcp_options_u32(options, code, &number)) {
        return false;
    }
    *value = wisp_ip4_from_value(number);
    return true;
}
