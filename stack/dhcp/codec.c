/* SPDX-License-Identifier: ISC */
/*
 * The message format of RFC 2131 §2. Offsets of the fixed part:
 *
 *   0 op  1 htype  2 hlen  3 hops  4 xid  8 secs  10 flags  12 ciaddr  16 yiaddr  20 siaddr  24 giaddr
 *   28 chaddr (16)  44 sname (64)  108 file (128)  236 cookie  240 options
 *
 * Requests use the options field alone: the largest one is below 548 bytes, so option 52 is never sent.
 * What a message may carry follows RFC 2131 table 5: DECLINE and RELEASE carry identifiers only.
 */
#include "codec.h"
#include "bytes.h"
#include <string.h>

#define BOOTREQUEST    1
#define BOOTREPLY      2
#define HTYPE          1
#define COOKIE         0x63825363u
#define FLAG_BROADCAST 0x8000u
#define BOOTP_SIZE     300u

_Static_assert(DHCP_FIXED_SIZE + 4 + 3 + (2 + DHCP_CLIENT_ID_MAX) + 6 + 6 + 4 +
                       2 * (2 + WISP_DHCP_TEXT_MAX) + (2 + 16) + 1 <=
                   WISP_DHCP_MESSAGE_MAX,
               "every request fits without overload");

enum dhcp_defect dhcp_reply_parse(const uint8_t *bytes, size_t length, struct dhcp_reply *reply)
{
    if (length < DHCP_FIXED_SIZE + 4) {
        return DHCP_SHORT;
    }
    if (bytes[0] != BOOTREPLY || bytes[1] != HTYPE || bytes[2] != 6 ||
        wisp_be32_get(bytes + DHCP_FIXED_SIZE) != COOKIE) {
        return DHCP_NO_REPLY;
    }
    memset(reply, 0, sizeof(*reply));
    reply->xid = wisp_be32_get(bytes + 4);
    reply->yiaddr = wisp_ip4_get(bytes + 16);
    reply->chaddr = wisp_mac_get(bytes + 28);
    if (!dhcp_options_open(&reply->options, bytes + DHCP_FIXED_SIZE + 4,
                           length - DHCP_FIXED_SIZE - 4, bytes + 108, bytes + 44)) {
        return DHCP_OVERRUN;
    }
    if (!dhcp_options_u8(&reply->options, DHCP_OPTION_TYPE, &reply->type)) {
        return DHCP_NO_TYPE;
    }
    dhcp_options_ip4(&reply->options, DHCP_OPTION_SERVER_ID, &reply->server);
    return DHCP_SOUND;
}

/* Option 121 stands before 3, as RFC 3442 asks; the times stand last, because INFORM asks for none. */
static const uint8_t parameters[] = {DHCP_OPTION_MASK,   DHCP_OPTION_ROUTES,     DHCP_OPTION_ROUTER,
                                     DHCP_OPTION_DNS,    DHCP_OPTION_HOST_NAME,  DHCP_OPTION_DOMAIN,
                                     DHCP_OPTION_MTU,    DHCP_OPTION_BROADCAST,  DHCP_OPTION_NTP,
                                     DHCP_OPTION_SEARCH, DHCP_OPTION_LEASE_TIME, DHCP_OPTION_T1,
                                     DHCP_OPTION_T2};
#define TIME_PARAMETERS 3u

_Static_assert(sizeof(parameters) <= 16, "counted so above");

static uint8_t *put_bytes(uint8_t *at, uint8_t code, const void *value, size_t length)
{
    if (length == 0) {
        return at;
    }
    at[0] = code;
    at[1] = (uint8_t)length;
    memcpy(at + 2, value, length);
    return at + 2 + length;
}

static uint8_t *put_text(uint8_t *at, uint8_t code, const char *text)
{
    size_t length = 0;
    while (text[length] && length < WISP_DHCP_TEXT_MAX) {
        length++;
    }
    return put_bytes(at, code, text, length);
}

static uint8_t *put_ip4(uint8_t *at, uint8_t code, struct wisp_ip4 ip)
{
    return put_bytes(at, code, ip.octet, wisp_ip4_value(ip) ? sizeof(ip.octet) : 0);
}

static uint8_t *put_wishes(uint8_t *at, const struct dhcp_request *request)
{
    uint8_t max_message[2];
    wisp_be16_put(max_message, request->max_message);
    at = put_bytes(at, DHCP_OPTION_MAX_MESSAGE, max_message, sizeof(max_message));
    at = put_text(at, DHCP_OPTION_VENDOR_CLASS, request->vendor_class);
    at = put_text(at, DHCP_OPTION_HOST_NAME, request->host_name);
    return put_bytes(at, DHCP_OPTION_PARAMETERS, parameters,
                     sizeof(parameters) - (request->type == DHCP_INFORM ? TIME_PARAMETERS : 0));
}

uint32_t dhcp_request_emit(const struct dhcp_request *request, uint8_t bytes[WISP_DHCP_MESSAGE_MAX])
{
    memset(bytes, 0, WISP_DHCP_MESSAGE_MAX);
    bytes[0] = BOOTREQUEST;
    bytes[1] = HTYPE;
    bytes[2] = sizeof(request->mac.octet);
    wisp_be32_put(bytes + 4, request->xid);
    wisp_be16_put(bytes + 8, request->secs);
    wisp_be16_put(bytes + 10, request->broadcast ? FLAG_BROADCAST : 0);
    wisp_ip4_put(bytes + 12, request->ciaddr);
    wisp_mac_put(bytes + 28, request->mac);
    wisp_be32_put(bytes + DHCP_FIXED_SIZE, COOKIE);
    uint8_t *at = bytes + DHCP_FIXED_SIZE + 4;
    at = put_bytes(at, DHCP_OPTION_TYPE, &request->type, 1);
    at = put_bytes(at, DHCP_OPTION_CLIENT_ID, request->client_id, request->client_id_length);
    at = put_ip4(at, DHCP_OPTION_REQUESTED_IP, request->requested);
    at = put_ip4(at, DHCP_OPTION_SERVER_ID, request->server);
    if (request->type != DHCP_DECLINE && request->type != DHCP_RELEASE) {
        at = put_wishes(at, request);
    }
    *at++ = DHCP_OPTION_END;
    uint32_t length = (uint32_t)(at - bytes);
    return length < BOOTP_SIZE ? BOOTP_SIZE : length;
}
