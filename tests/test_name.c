/* SPDX-License-Identifier: ISC */
/* Domain names from bytes: no loop, no over-read, no text that is not a host's name. */
#include "name.h"
#include "suite.h"
#include <stdlib.h>
#include <string.h>

struct row {
    const char *name;
    const char *bytes;
    size_t length, at;
    const char *text; /* null: malformed */
    size_t end;
};

/* Each message lies in memory of its own size, so that a sanitizer sees a read beyond it. */
static size_t read_copy(const void *bytes, size_t length, size_t at, uint8_t *wire, size_t *end)
{
    uint8_t *copy = malloc(length ? length : 1);
    memcpy(copy, bytes, length);
    size_t size = wisp_name_read(copy, length, at, wire, end);
    free(copy);
    return size;
}

/* covers: DH-12 */
START_TEST(message__names_with_pointers__followed_backwards_only)
{
    static const struct row rows[] = {
        {"plain", "\3www\7example\3org", 17, 0, "www.example.org", 17},
        {"root", "", 1, 0, "", 1},
        {"pointer back", "\3org\0\7example\300\0", 15, 5, "example.org", 15},
        {"two pointers back", "\3org\0\1a\300\0\1b\300\5", 13, 9, "b.a.org", 13},
        {"pointer to itself", "\1a\300\2", 4, 0, NULL, 0},
        {"pointer to the name's own start", "\1a\300\0", 4, 0, NULL, 0},
        {"pointer forward", "\300\2\1a\0", 5, 0, NULL, 0},
        {"two pointing at each other", "\300\2\300\0", 4, 2, NULL, 0},
        {"pointer beyond the end", "\1a\0\300\377", 5, 3, NULL, 0},
        {"half a pointer", "\1a\0\300", 4, 3, NULL, 0},
        {"label beyond the end", "\4ww", 3, 0, NULL, 0},
        {"no root", "\3www", 4, 0, NULL, 0},
        {"nothing", "", 0, 0, NULL, 0},
        {"label type 01", "\101a\0", 3, 0, NULL, 0},
        {"label type 10", "\201a\0", 3, 0, NULL, 0},
        {"a byte no host has", "\1;", 3, 0, NULL, 3},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t wire[WISP_NAME_MAX];
        char text[WISP_NAME_TEXT_MAX];
        size_t end = 0;
        size_t size = read_copy(rows[i].bytes, rows[i].length, rows[i].at, wire, &end);
        bool good = size > 0 && wisp_name_text(wire, text);
        ck_assert_msg(good == (rows[i].text != NULL), "%s", rows[i].name);
        if (good) {
            ck_assert_msg(strcmp(text, rows[i].text) == 0, "%s: %s", rows[i].name, text);
            ck_assert_msg(end == rows[i].end, "%s: ends at %zu", rows[i].name, end);
            ck_assert_uint_eq(wisp_name_length(wire), size);
        }
    }
}
END_TEST

/* covers: DH-12 */
START_TEST(message__longest_name__taken_and_one_octet_more_not)
{
    for (size_t last = 61; last <= 62; last++) {
        uint8_t message[300] = {0};
        size_t at = 0;
        for (int i = 0; i < 4; i++) {
            size_t label = i < 3 ? 63 : last;
            message[at] = (uint8_t)label;
            memset(message + at + 1, 'a', label);
            at += label + 1;
        }
        uint8_t wire[WISP_NAME_MAX];
        char text[WISP_NAME_TEXT_MAX];
        size_t end;
        size_t size = read_copy(message, at + 1, 0, wire, &end);
        ck_assert_uint_eq(size, last == 61 ? 255 : 0);
        if (size) {
            ck_assert(wisp_name_text(wire, text));
            ck_assert_uint_eq(strlen(text), 253);
        }
    }
}
END_TEST

/* covers: DH-12 */
START_TEST(message__255_labels_and_pointer_ladders__bounded)
{
    uint8_t message[2048];
    uint8_t wire[WISP_NAME_MAX];
    size_t end;
    memset(message, 1, sizeof(message));
    ck_assert_uint_eq(read_copy(message, sizeof(message), 0, wire, &end), 0);
    /* A ladder: each name is one label and a pointer to the one before. */
    memset(message, 0, sizeof(message));
    size_t at = 1;
    size_t before = 0;
    for (int i = 0; i < 255; i++) {
        size_t start = at;
        message[at++] = 1;
        message[at++] = 'a';
        message[at++] = (uint8_t)(0xc0 | before >> 8);
        message[at++] = (uint8_t)before;
        before = start;
        ck_assert_uint_eq(read_copy(message, at, start, wire, &end),
                          i < 127 ? (size_t)i * 2 + 3 : 0);
    }
}
END_TEST

START_TEST(random_octets__read_at_every_offset__never_beyond)
{
    uint32_t state = 1;
    for (int round = 0; round < 2000; round++) {
        uint8_t message[64];
        for (size_t i = 0; i < sizeof(message); i++) {
            state = state * 1664525u + 1013904223u;
            message[i] =
                (uint8_t)(state >> 24) < 90 ? (uint8_t)(state >> 16 & 7) : (uint8_t)(state >> 20);
        }
        uint8_t wire[WISP_NAME_MAX];
        size_t end = 0;
        size_t at = (size_t)round % sizeof(message);
        size_t size = read_copy(message, sizeof(message), at, wire, &end);
        ck_assert(size <= WISP_NAME_MAX);
        ck_assert(size == 0 ||
                  (end > at && end <= sizeof(message) && wisp_name_length(wire) == size));
    }
}
END_TEST

START_TEST(text__to_wire_and_back__only_host_names)
{
    static const struct {
        const char *text;
        size_t size;
    } rows[] = {{"a", 3},
                {"www.example.org", 17},
                {"www.example.org.", 17},
                {"", 0},
                {".", 0},
                {"a..b", 0},
                {".a", 0},
                {"a b", 0},
                {"a;b", 0},
                {"x_y-z.1", 9},
                {"\303\274", 0}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t wire[WISP_NAME_MAX];
        size_t size = wisp_name_from_text(rows[i].text, strlen(rows[i].text), wire);
        ck_assert_msg(size == rows[i].size, "\"%s\": %zu", rows[i].text, size);
    }
    char label[65];
    memset(label, 'a', 64);
    uint8_t wire[WISP_NAME_MAX];
    ck_assert_uint_eq(wisp_name_from_text(label, 63, wire), 65);
    ck_assert_uint_eq(wisp_name_from_text(label, 64, wire), 0);
}
END_TEST

START_TEST(two_names__differing_in_case__equal)
{
    uint8_t a[WISP_NAME_MAX];
    uint8_t b[WISP_NAME_MAX];
    wisp_name_from_text("WWW.Example.org", 15, a);
    wisp_name_from_text("www.eXample.ORG", 15, b);
    ck_assert(wisp_name_equal(a, b));
    wisp_name_from_text("www.example.org.x", 17, b);
    ck_assert(!wisp_name_equal(a, b));
    wisp_name_from_text("wwwxexample.org", 15, b);
    ck_assert(!wisp_name_equal(a, b));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("name");
    TCase *tcase = tcase_create("name");
    tcase_add_test(tcase, message__names_with_pointers__followed_backwards_only);
    tcase_add_test(tcase, message__longest_name__taken_and_one_octet_more_not);
    tcase_add_test(tcase, message__255_labels_and_pointer_ladders__bounded);
    tcase_add_test(tcase, random_octets__read_at_every_offset__never_beyond);
    tcase_add_test(tcase, text__to_wire_and_back__only_host_names);
    tcase_add_test(tcase, two_names__differing_in_case__equal);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
