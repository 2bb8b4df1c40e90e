/* SPDX-License-Identifier: ISC */
/* An address is no number, in neither byte order: assigning it to one must not compile. */
#include "bytes.h"

uint32_t number(const uint8_t *p);

#ifdef RIGHT
uint32_t number(const uint8_t *p)
{
    return wisp_ip4_value(wisp_ip4_get(p));
}
#else
uint32_t number(const uint8_t *p)
{
    return wisp_ip4_get(p);
}
#endif
