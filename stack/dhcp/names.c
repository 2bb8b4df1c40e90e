/* SPDX-License-Identifier: ISC */
/*
 * Names in a lease: host name and domain (RFC 2132 §3.14, §3.17) and the search list (RFC 3397), which is
 * compressed like a DNS message of its own. What comes out is text of letters, digits, '-', '_' and '.',
 * whatever came in: a name with anything else is left out, and a search list with one malformed name is
 * left out as a whole, because what follows it cannot be told apart.
 */
#include "lease.h"
#include "name.h"
#include <string.h>

/* Reads a name given as text, with or without final zeros, into text[size]. */
static void read_text_name(const struct dhcp_options *options, uint8_t code, char *text,
                           size_t size, struct wisp_dhcp_lease *lease)
{
    uint8_t value[256];
    uint8_t wire[WISP_NAME_MAX];
    char full[WISP_NAME_TEXT_MAX];
    size_t length = dhcp_options_find(options, code, value, sizeof(value));
    if (length == 0) {
        return;
    }
    while (length > 0 && length <= sizeof(value) && value[length - 1] == 0) {
        length--;
    }
    if (length > sizeof(value) || !wisp_name_from_text((const char *)value, length, wire) ||
        !wisp_name_text(wire, full) || wisp_name_length(wire) - 1 > size) {
        lease->adjusted |= WISP_DHCP_ADJUSTED_NAMES;
        return;
    }
    memcpy(text, full, wisp_name_length(wire) - 1);
}

static void read_search(const struct dhcp_options *options, struct wisp_dhcp_lease *lease)
{
    uint8_t list[DHCP_OPTION_JOINED_MAX];
    uint8_t wire[WISP_NAME_MAX];
    size_t length = dhcp_options_find(options, DHCP_OPTION_SEARCH, list, sizeof(list));
    size_t at = 0;
    if (length > sizeof(list)) {
        lease->adjusted |= WISP_DHCP_ADJUSTED_NAMES;
        return;
    }
    while (at < length && lease->domains < WISP_DHCP_SEARCH) {
        size_t size = wisp_name_read(list, length, at, wire, &at);
        if (size == 0 || !wisp_name_text(wire, lease->search[lease->domains])) {
            lease->adjusted |= WISP_DHCP_ADJUSTED_NAMES;
            lease->domains = 0;
            memset(lease->search, 0, sizeof(lease->search));
            return;
        }
        lease->domains = (uint8_t)(lease->domains + (size > 1));
    }
}

void dhcp_names_read(const struct dhcp_options *options, struct wisp_dhcp_lease *lease)
{
    read_text_name(options, DHCP_OPTION_HOST_NAME, lease->host_name, sizeof(lease->host_name),
                   lease);
    read_text_name(options, DHCP_OPTION_DOMAIN, lease->domain, sizeof(lease->domain), lease);
    read_search(options, lease);
}
