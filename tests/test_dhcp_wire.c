/* SPDX-License-Identifier: ISC */
/*
 * DHCP messages of a capture, decoded by the judge: messages of real servers, every prefix and many changes of each, in
 * memory of its own size; and their translation, into memory of every size.
 */
#include "dhcp_golden.h"
#include "dhcp_wire.h"
#include "suite.h"
#include <stdlib.h>
#include <string.h>

#define MESSAGES (sizeof(goldens) / sizeof(goldens[0]))

/* Takes a message of n bytes, copied to the end of its memory; its bytes are the caller's to free. */
static bool read_copy(struct dhcp_wire *wire, const uint8_t *bytes, uint32_t n, uint8_t **copy)
{
    *copy = malloc(n ? n : 1);
    memcpy(*copy, bytes, n);
    struct packet packet = {.kind = PACKET_UDP,
                            .bytes = *copy,
                            .length = n,
                            .payload_length = n,
                            .source_port = 67,
                            .destination_port = 68};
    return dhcp_wire_read(wire, &packet);
}

/* Asks for everything that can be asked for. */
static void use(const struct dhcp_wire *wire)
{
    uint8_t value[255];
    ck_assert_uint_le(wire->areas, 3);
    for (unsigned code = 0; code < 256; code++) {
        uint32_t whole = dhcp_wire_option(wire, (uint8_t)code, NULL, 0);
        for (uint32_t size = 1; whole > 0 && size <= sizeof(value); size += 127) {
            uint8_t *exact = malloc(size);
            ck_assert_uint_eq(dhcp_wire_option(wire, (uint8_t)code, exact, size), whole);
            free(exact);
        }
        dhcp_wire_number(wire, (uint8_t)code, 7);
    }
    ck_assert_ptr_nonnull(dhcp_class_name(wire->class));
}

static void translate(const struct dhcp_wire *reply, const struct dhcp_wire *other, uint32_t size)
{
    uint8_t *to = malloc(size ? size : 1);
    ck_assert_uint_le(dhcp_wire_translate(reply, reply, other, to, size), size);
    ck_assert_uint_le(dhcp_wire_translate(reply, other, other, to, size), size);
    free(to);
}

static void read_and_use(const uint8_t *bytes, uint32_t n)
{
    struct dhcp_wire wire;
    uint8_t *copy;
    if (read_copy(&wire, bytes, n, &copy)) {
        use(&wire);
        translate(&wire, &wire, n);
        translate(&wire, &wire, n + 258);
        translate(&wire, &wire, 2048);
    }
    free(copy);
}

START_TEST(messages_of_servers__read__are_acks)
{
    for (size_t i = 0; i < MESSAGES; i++) {
        struct dhcp_wire wire;
        uint8_t *copy;
        ck_assert_msg(read_copy(&wire, goldens[i].bytes, (uint32_t)goldens[i].length, &copy), "%s",
                      goldens[i].name);
        ck_assert_msg(wire.class == DHCP_CLASS_ACK && wire.reply && wire.ethernet, "%s",
                      goldens[i].name);
        ck_assert_msg(wire.server != 0 && wire.yiaddr != 0, "%s", goldens[i].name);
        free(copy);
    }
}
END_TEST

START_TEST(messages_of_servers__every_prefix__never_read_beyond)
{
    for (size_t i = 0; i < MESSAGES; i++) {
        for (uint32_t n = 0; n <= goldens[i].length; n++) {
            read_and_use(goldens[i].bytes, n);
        }
    }
}
END_TEST

START_TEST(messages_of_servers__every_byte_changed__never_read_beyond)
{
    static const uint8_t values[] = {0, 1, 3, 52, 61, 127, 254, 255};
    uint8_t bytes[1024];
    for (size_t i = 0; i < MESSAGES; i++) {
        for (uint32_t at = 0; at < goldens[i].length; at += at < 240 ? 13 : 1) {
            for (size_t v = 0; v < sizeof(values); v++) {
                memcpy(bytes, goldens[i].bytes, goldens[i].length);
                bytes[at] = values[v];
                read_and_use(bytes, (uint32_t)goldens[i].length);
            }
        }
    }
}
END_TEST

/* An option of code and length, its bytes counted up. */
static uint32_t add_option(uint8_t *bytes, uint32_t at, uint8_t code, uint8_t length)
{
    bytes[at++] = code;
    bytes[at++] = length;
    for (uint8_t i = 0; i < length; i++) {
        bytes[at++] = i;
    }
    return at;
}

static uint32_t begin(uint8_t *bytes, uint8_t type)
{
    memset(bytes, 0, 1024);
    memcpy(bytes, "\2\1\6", 3);
    put_be32(bytes + 236, 0x63825363);
    uint32_t at = add_option(bytes, 240, DHCP_CODE_TYPE, 1);
    bytes[at - 1] = type;
    return at;
}

START_TEST(overloaded_message__every_prefix__never_read_beyond)
{
    uint8_t bytes[1024];
    for (uint8_t overload = 0; overload < 5; overload++) {
        uint32_t at = begin(bytes, 5);
        at = add_option(bytes, at, DHCP_CODE_OVERLOAD, 1);
        bytes[at - 1] = overload;
        at = add_option(bytes, at, DHCP_CODE_CLIENT, 7);
        add_option(bytes, 44, DHCP_CODE_CLIENT, 62); /* to the end of sname, without an end */
        add_option(bytes, 108, DHCP_CODE_DNS, 126);  /* and of file */
        bytes[at++] = DHCP_CODE_END;
        for (uint32_t n = 0; n <= at; n++) {
            read_and_use(bytes, n);
        }
        for (uint32_t beyond = 40; beyond < 240; beyond++) {
            bytes[45] = bytes[109] = (uint8_t)beyond;
            read_and_use(bytes, at);
        }
    }
}
END_TEST

START_TEST(translation__into_memory_of_every_size__fits_or_is_refused)
{
    uint8_t bytes[1024], other[1024];
    struct dhcp_wire reply, ours;
    uint8_t *copy, *copy_of_other;
    uint32_t n = add_option(bytes, begin(bytes, 5), DHCP_CODE_CLIENT, 7);
    bytes[n++] = DHCP_CODE_END;
    ck_assert(read_copy(&reply, bytes, n, &copy));
    for (uint32_t parts = 0; parts < 3;
         parts++) { /* of 200 bytes: more than an option can have, joined */
        uint32_t m = begin(other, 5);
        for (uint32_t i = 0; i < parts; i++) {
            m = add_option(other, m, DHCP_CODE_CLIENT, 200);
        }
        ck_assert(read_copy(&ours, other, m, &copy_of_other));
        for (uint32_t size = 0; size < 600; size++) {
            translate(&reply, &ours, size);
            translate(&ours, &reply, size);
        }
        free(copy_of_other);
    }
    free(copy);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dhcp_wire");
    TCase *tcase = tcase_create("dhcp_wire");
    tcase_add_test(tcase, messages_of_servers__read__are_acks);
    tcase_add_test(tcase, messages_of_servers__every_prefix__never_read_beyond);
    tcase_add_test(tcase, messages_of_servers__every_byte_changed__never_read_beyond);
    tcase_add_test(tcase, overloaded_message__every_prefix__never_read_beyond);
    tcase_add_test(tcase, translation__into_memory_of_every_size__fits_or_is_refused);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
