/* SPDX-License-Identifier: ISC */
/*
 * Domain names as messages carry them (RFC 1035 §3.1, §4.1.4): DNS answers and DHCP's search list.
 * A name in wire form is its labels, each behind its length, and the zero of the root: at most 255 octets.
 */
#ifndef WISP_BASE_NAME_H
#define WISP_BASE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WISP_NAME_MAX      255u /* wire form, root included */
#define WISP_NAME_TEXT_MAX 254u /* text with the final zero; the root is "" */

/*
 * Reads the name that starts at offset at of message into name, uncompressed, and gives its length; 0 for
 * anything malformed. A compression pointer must point before the labels read so far, so each one goes
 * strictly towards the front and no message can make a loop. *end is the offset behind the name.
 */
size_t wisp_name_read(const uint8_t *message, size_t length, size_t at, uint8_t name[WISP_NAME_MAX],
                      size_t *end);

/* Length of a well-formed name in wire form. */
size_t wisp_name_length(const uint8_t *name);

/* The same name; case of ASCII letters does not count (RFC 4343). */
bool wisp_name_equal(const uint8_t *a, const uint8_t *b);

/*
 * The wire form of "www.example.org" (a final dot is allowed); its length, or 0 when it is not a name of
 * letters, digits, hyphens and underscores.
 */
size_t wisp_name_from_text(const char *text, size_t length, uint8_t name[WISP_NAME_MAX]);

/*
 * Writes a name as text and gives its length. False, and "", when an octet is none of letters, digits,
 * hyphens and underscores: such a name is never shown to anybody who might believe it.
 */
bool wisp_name_text(const uint8_t *name, char text[WISP_NAME_TEXT_MAX]);

#endif
