/* SPDX-License-Identifier: ISC */
/*
 * The stream that makes the snapshot lengths of a pcapng file alike: those and nothing else change, in either byte order,
 * whatever is read at a time; every prefix of a file and every change of its lengths passes as it is.
 */
#define _GNU_SOURCE /* fmemopen, fseeko */
#include "pcapng.h"
#include "suite.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct file {
    uint8_t bytes[512];
    size_t length;
    size_t snaplen[3]; /* where they stand */
    bool big;
};

static void put(struct file *file, uint32_t value, int size)
{
    for (int i = 0; i < size; i++) {
        int shift = 8 * (file->big ? size - 1 - i : i);
        file->bytes[file->length++] = (uint8_t)(value >> shift);
    }
}

/* A section, two interfaces, a packet, another interface, another packet. */
static void make(struct file *file, bool big)
{
    memset(file, 0, sizeof(*file));
    file->big = big;
    put(file, 0x0a0d0d0a, 4);
    put(file, 28, 4);
    put(file, 0x1a2b3c4d, 4);
    put(file, 1, 2);
    put(file, 0, 2);
    put(file, UINT32_MAX, 4);
    put(file, UINT32_MAX, 4);
    put(file, 28, 4);
    for (int i = 0; i < 3; i++) {
        put(file, 1, 4); /* an interface */
        put(file, 20, 4);
        put(file, 1, 2);
        put(file, 0, 2);
        file->snaplen[i] = file->length;
        put(file, 100u + (uint32_t)i, 4);
        put(file, 20, 4);
        if (i > 0) {
            put(file, 6, 4); /* a packet of 5 bytes, and 3 to fill up */
            put(file, 40, 4);
            put(file, 0, 4);
            put(file, 0, 4);
            put(file, 0, 4);
            put(file, 5, 4);
            put(file, 5, 4);
            put(file, 0x01010101, 4);
            put(file, 0x01010101, 4);
            put(file, 40, 4);
        }
    }
}

/* Reads all there is of n bytes, in memory of that size, `at_once` at a time; gives how much, the stream still open. */
static size_t read_even(const uint8_t *bytes, size_t n, size_t buffer, size_t at_once, uint8_t *got,
                        FILE **stream)
{
    size_t used = 0;
    FILE *file = fmemopen((void *)(uintptr_t)bytes, n, "rb");
    ck_assert_ptr_nonnull(file);
    *stream = pcapng_even(file, buffer);
    ck_assert_ptr_nonnull(*stream);
    for (size_t m = 1; m > 0; used += m) {
        m = fread(got + used, 1, at_once, *stream);
        ck_assert_uint_le(used + m, n);
    }
    return used;
}

/* What the file is to become. */
static void even_out(const struct file *file, uint8_t *bytes)
{
    memcpy(bytes, file->bytes, file->length);
    for (int i = 0; i < 3; i++) {
        struct file one = {.big = file->big};
        put(&one, 262144, 4);
        memcpy(bytes + file->snaplen[i], one.bytes, 4);
    }
}

START_TEST(file__read_in_pieces_of_any_size__snapshot_lengths_are_alike)
{
    for (int big = 0; big < 2; big++) {
        struct file file;
        uint8_t want[512], got[1024];
        FILE *stream;
        make(&file, big);
        even_out(&file, want);
        for (size_t size = 1; size < 300; size++) {
            ck_assert_uint_eq(read_even(file.bytes, file.length, size + 16, size, got, &stream),
                              file.length);
            ck_assert_msg(memcmp(got, want, file.length) == 0, "in pieces of %zu", size);
            for (size_t at = 0; at < file.length; at += 29) { /* and again, from anywhere */
                ck_assert_int_eq(fseeko(stream, (off_t)at, SEEK_SET), 0);
                ck_assert_uint_eq(fread(got, 1, sizeof(got), stream), file.length - at);
                ck_assert_msg(memcmp(got, want + at, file.length - at) == 0, "from %zu", at);
            }
            fclose(stream);
        }
    }
}
END_TEST

START_TEST(file__every_prefix__passes_with_what_is_known)
{
    for (int big = 0; big < 2; big++) {
        struct file file;
        uint8_t want[512], got[1024];
        FILE *stream;
        make(&file, big);
        even_out(&file, want);
        for (size_t n = 1; n <= file.length; n++) {
            uint8_t *exact = malloc(n);
            memcpy(exact, file.bytes, n);
            for (size_t size = 1; size < 64; size += 21) {
                ck_assert_uint_eq(read_even(exact, n, 64, size, got, &stream), n);
                ck_assert_msg(memcmp(got, want, n) == 0, "%zu bytes", n);
                fclose(stream);
            }
            free(exact);
        }
    }
}
END_TEST

START_TEST(file__every_byte_changed__only_snapshot_lengths_change)
{
    static const uint8_t values[] = {0, 1, 3, 11, 12, 13, 0x7f, 0x80, 0xff};
    for (int big = 0; big < 2; big++) {
        struct file file;
        uint8_t got[1024];
        FILE *stream;
        make(&file, big);
        for (size_t at = 0; at < file.length; at++) {
            uint8_t was = file.bytes[at];
            for (size_t v = 0; v < sizeof(values); v++) {
                file.bytes[at] = values[v];
                ck_assert_uint_eq(read_even(file.bytes, file.length, 64, 17, got, &stream),
                                  file.length);
                fclose(stream);
                /* The first interface lies before what is changed, or is what is changed. */
                ck_assert(memcmp(got, file.bytes, 28 < at ? 28 : at) == 0);
            }
            file.bytes[at] = was;
        }
    }
}
END_TEST

START_TEST(other_bytes__read__unchanged)
{
    uint8_t bytes[300], got[1024];
    FILE *stream;
    uint32_t state = 1;
    for (int round = 0; round < 200; round++) {
        for (size_t i = 0; i < sizeof(bytes); i++) {
            state = state * 1664525u + 1013904223u;
            bytes[i] = (uint8_t)(state >> 24);
        }
        bytes[0] = 0xd4; /* of pcap */
        ck_assert_uint_eq(read_even(bytes, sizeof(bytes), 64, 100, got, &stream), sizeof(bytes));
        ck_assert_int_eq(memcmp(got, bytes, sizeof(bytes)), 0);
        fclose(stream);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pcapng");
    TCase *tcase = tcase_create("pcapng");
    tcase_add_test(tcase, file__read_in_pieces_of_any_size__snapshot_lengths_are_alike);
    tcase_add_test(tcase, file__every_prefix__passes_with_what_is_known);
    tcase_add_test(tcase, file__every_byte_changed__only_snapshot_lengths_change);
    tcase_add_test(tcase, other_bytes__read__unchanged);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
