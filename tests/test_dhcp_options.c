/* SPDX-License-Identifier: ISC */
/* Option areas: truncation, missing ends, overload, joined parts. */
#include "codec.h"
#include "dhcp_peer.h"
#include "suite.h"
#include <stdlib.h>
#include <string.h>

static struct reply reply;

/* Parses a copy of exactly the reply's size; what is found is read while the copy lives. */
static enum dhcp_defect parse(size_t length, uint8_t code, uint8_t *value, size_t size,
                              size_t *found)
{
    struct dhcp_reply parsed;
    uint8_t *copy = malloc(length ? length : 1);
    memcpy(copy, reply.bytes, length);
    enum dhcp_defect defect = dhcp_reply_parse(copy, length, &parsed);
    if (defect == DHCP_SOUND && found) {
        *found = dhcp_options_find(&parsed.options, code, value, size);
    }
    free(copy);
    return defect;
}

/* covers: DH-02, D18 */
START_TEST(reply__truncated_at_every_octet__no_over_read)
{
    uint8_t value[64];
    size_t found;
    reply_make(&reply, ACK, 7, PEER_ADDRESS, 3600);
    for (size_t length = 0; length < reply.length; length++) {
        enum dhcp_defect defect = parse(length, 1, value, sizeof(value), &found);
        if (length < 240) {
            ck_assert_int_eq(defect, DHCP_SHORT);
        } else if (length < 243) {
            ck_assert(defect == DHCP_NO_TYPE || defect == DHCP_OVERRUN);
        } else {
            ck_assert(defect == DHCP_SOUND || defect == DHCP_OVERRUN);
        }
    }
    ck_assert_int_eq(parse(reply.length, 1, value, sizeof(value), &found), DHCP_SOUND);
    ck_assert_uint_eq(found, 4);
}
END_TEST

/* covers: DH-03 */
START_TEST(options__without_end_early_end_pads__parsed_by_rule)
{
    uint8_t value[64];
    size_t found = 9;
    reply_begin(&reply, ACK, 7, PEER_ADDRESS);
    reply_ip4(&reply, 1, wisp_ip4(255, 255, 255, 0));
    ck_assert_int_eq(parse(reply.length, 1, value, sizeof(value), &found), DHCP_SOUND);
    ck_assert_uint_eq(found, 4);

    reply_begin(&reply, ACK, 7, PEER_ADDRESS);
    reply_end(&reply);
    reply_ip4(&reply, 1, wisp_ip4(255, 255, 255, 0));
    ck_assert_int_eq(parse(reply.length, 1, value, sizeof(value), &found), DHCP_SOUND);
    ck_assert_uint_eq(found, 0);

    reply_begin(&reply, ACK, 7, PEER_ADDRESS);
    reply.length += 60000; /* zeros: PAD */
    reply_ip4(&reply, 1, wisp_ip4(255, 255, 255, 0));
    reply_end(&reply);
    ck_assert_int_eq(parse(reply.length, 1, value, sizeof(value), &found), DHCP_SOUND);
    ck_assert_uint_eq(found, 4);

    reply_begin(&reply, 0, 7, PEER_ADDRESS);
    reply_ip4(&reply, 1, wisp_ip4(255, 255, 255, 0));
    reply_end(&reply);
    ck_assert_int_eq(parse(reply.length, 1, value, sizeof(value), &found), DHCP_NO_TYPE);
}
END_TEST

/* covers: DH-06 */
START_TEST(option__length_beyond_its_field__whole_message_dropped)
{
    reply_make(&reply, ACK, 7, PEER_ADDRESS, 3600);
    size_t options = 0;
    for (size_t at = 240; reply.bytes[at] != 255; at += 2u + reply.bytes[at + 1]) {
        uint8_t kept = reply.bytes[at + 1];
        reply.bytes[at + 1] = (uint8_t)(reply.length - at - 1); /* one beyond */
        ck_assert_int_eq(parse(reply.length, 1, NULL, 0, NULL), DHCP_OVERRUN);
        reply.bytes[at + 1] = 255;
        ck_assert_int_eq(parse(reply.length, 1, NULL, 0, NULL), DHCP_OVERRUN);
        reply.bytes[at + 1] = kept;
        options++;
    }
    ck_assert_uint_eq(options, 5);
    reply_begin(&reply, ACK, 7, PEER_ADDRESS);
    reply.bytes[reply.length++] = 1; /* a code and nothing behind it */
    ck_assert_int_eq(parse(reply.length, 1, NULL, 0, NULL), DHCP_OVERRUN);
}
END_TEST

/* covers: D17, DH-07, O52 */
START_TEST(overload__all_values__areas_read_as_it_says)
{
    static const struct {
        const char *name;
        int value; /* -1: no option 52 */
        const char *text;
    } rows[] = {{"none", -1, "O"},     {"0", 0, "O"}, {"1: file", 1, "OF"}, {"2: sname", 2, "OS"},
                {"3: both", 3, "OFS"}, {"4", 4, "O"}, {"255", 255, "O"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t value[8] = {0};
        size_t found = 0;
        reply_begin(&reply, ACK, 7, PEER_ADDRESS);
        if (rows[i].value >= 0) {
            uint8_t overload = (uint8_t)rows[i].value;
            reply_option(&reply, 52, &overload, 1);
        }
        reply_option(&reply, 15, "O", 1);
        reply_end(&reply);
        memcpy(reply.bytes + 108,
               "\x0f\x01"
               "F\xff",
               4);
        memcpy(reply.bytes + 44,
               "\x0f\x01"
               "S\xff",
               4);
        ck_assert_int_eq(parse(reply.length, 15, value, sizeof(value), &found), DHCP_SOUND);
        ck_assert_msg(found == strlen(rows[i].text) && memcmp(value, rows[i].text, found) == 0,
                      "%s: %s", rows[i].name, (const char *)value);
    }
}
END_TEST

/* covers: DH-07 */
START_TEST(overload__named_again_inside_or_unterminated__each_area_read_once)
{
    uint8_t value[300];
    size_t found = 0;
    uint8_t file_only = 1;
    reply_begin(&reply, ACK, 7, PEER_ADDRESS);
    reply_option(&reply, 52, &file_only, 1);
    reply_end(&reply);
    memcpy(reply.bytes + 108,
           "\x34\x01\x03\x0f\x01"
           "F\xff",
           7); /* option 52 = 3 in file */
    memcpy(reply.bytes + 44,
           "\x0f\x01"
           "S\xff",
           4);
    ck_assert_int_eq(parse(reply.length, 15, value, sizeof(value), &found), DHCP_SOUND);
    ck_assert_uint_eq(found, 1);
    ck_assert_uint_eq(value[0], 'F');

    /* an option that fills file to its last octet, without END */
    memset(reply.bytes + 108, 0, 128);
    reply.bytes[108] = 15;
    reply.bytes[109] = 126;
    ck_assert_int_eq(parse(reply.length, 15, value, sizeof(value), &found), DHCP_SOUND);
    ck_assert_uint_eq(found, 126);
    reply.bytes[109] = 127; /* and one octet more */
    ck_assert_int_eq(parse(reply.length, 15, value, sizeof(value), &found), DHCP_OVERRUN);
    reply.bytes[243 + 2] = 0; /* not overloaded: what file holds does not matter */
    ck_assert_int_eq(parse(reply.length, 15, value, sizeof(value), &found), DHCP_SOUND);
}
END_TEST

/* covers: DH-08, D17, O3396 */
START_TEST(option__in_forty_parts_or_64_kib__joined_and_bounded)
{
    uint8_t value[100];
    size_t found = 0;
    reply_begin(&reply, ACK, 7, PEER_ADDRESS);
    for (uint8_t i = 0; i < 40; i++) {
        reply_option(&reply, 119, &i, 1);
        reply_u16(&reply, 26, 1400);
    }
    reply_end(&reply);
    ck_assert_int_eq(parse(reply.length, 119, value, sizeof(value), &found), DHCP_SOUND);
    ck_assert_uint_eq(found, 40);
    for (uint8_t i = 0; i < 40; i++) {
        ck_assert_uint_eq(value[i], i);
    }
    reply_begin(&reply, ACK, 7, PEER_ADDRESS);
    uint8_t part[255];
    memset(part, 'p', sizeof(part));
    while (reply.length < 66000) {
        reply_option(&reply, 119, part, 255);
    }
    memset(value, 0, sizeof(value));
    ck_assert_int_eq(parse(reply.length, 119, value, 50, &found), DHCP_SOUND);
    ck_assert(found > 65000);
    ck_assert_uint_eq(value[49], 'p');
    ck_assert_uint_eq(value[50], 0);
}
END_TEST

/* covers: DH-08 */
START_TEST(fixed_size_option__twice_or_of_another_size__not_there)
{
    static const uint8_t sizes[] = {0, 3, 5, 8, 255};
    struct dhcp_reply parsed;
    for (size_t i = 0; i < sizeof(sizes); i++) {
        uint8_t bytes[255] = {1, 2, 3, 4};
        uint32_t value = 99;
        reply_begin(&reply, ACK, 7, PEER_ADDRESS);
        reply_option(&reply, 51, bytes, sizes[i]);
        ck_assert_int_eq(dhcp_reply_parse(reply.bytes, reply.length, &parsed), DHCP_SOUND);
        ck_assert(!dhcp_options_u32(&parsed.options, 51, &value));
        ck_assert_uint_eq(value, 99);
    }
    uint32_t value = 99;
    reply_begin(&reply, ACK, 7, PEER_ADDRESS);
    reply_u32(&reply, 51, 5);
    reply_u32(&reply, 51, 5);
    ck_assert_int_eq(dhcp_reply_parse(reply.bytes, reply.length, &parsed), DHCP_SOUND);
    ck_assert(!dhcp_options_u32(&parsed.options, 51, &value));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dhcp_options");
    TCase *tcase = tcase_create("options");
    tcase_add_test(tcase, reply__truncated_at_every_octet__no_over_read);
    tcase_add_test(tcase, options__without_end_early_end_pads__parsed_by_rule);
    tcase_add_test(tcase, option__length_beyond_its_field__whole_message_dropped);
    tcase_add_test(tcase, overload__all_values__areas_read_as_it_says);
    tcase_add_test(tcase, overload__named_again_inside_or_unterminated__each_area_read_once);
    tcase_add_test(tcase, option__in_forty_parts_or_64_kib__joined_and_bounded);
    tcase_add_test(tcase, fixed_size_option__twice_or_of_another_size__not_there);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
