/* SPDX-License-Identifier: ISC */
/* Octets are not assigned as numbers: a pointer to them is no 16-bit value. */
#include "bytes.h"

uint16_t length_at(const uint8_t *header);

#ifdef RIGHT
uint16_t length_at(const uint8_t *header)
{
    return wisp_be16_get(header + 2);
}
#else
uint16_t length_at(const uint8_t *header)
{
    return header + 2;
}
#endif
