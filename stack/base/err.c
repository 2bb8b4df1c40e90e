/* SPDX-License-Identifier: ISC */
/* Texts for enum wisp_err. */
#include <wisp/err.h>

const char *wisp_err_text(enum wisp_err err)
{
    switch (err) {
    case WISP_OK:
        return "ok";
    case WISP_ERR_AGAIN:
        return "no room at the moment";
    case WISP_ERR_FULL:
        return "table is full";
    case WISP_ERR_INVALID:
        return "not usable";
    case WISP_ERR_IN_USE:
        return "address or port in use";
    case WISP_ERR_UNREACHABLE:
        return "no route or no answer from the next hop";
    case WISP_ERR_REFUSED:
        return "connection refused";
    case WISP_ERR_RESET:
        return "connection reset";
    case WISP_ERR_TIMEOUT:
        return "timed out";
    case WISP_ERR_CLOSED:
        return "closed";
    case WISP_ERR_ADDRESS_LOST:
        return "local address lost";
    }
    return "unknown error";
}
