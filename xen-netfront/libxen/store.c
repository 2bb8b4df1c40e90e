/* SPDX-License-Identifier: ISC */
/* xenstore. Paths that do not begin with a slash are the own domain's. */
#include "libxen_priv.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool libxen_store_open(struct wisp_libxen *xen, char *why, size_t size)
{
    xen->store = xs_open(0);
    if (!xen->store) {
        snprintf(why, size, "cannot reach xenstore: %s (is this Xen? does xenstored run? be root)",
                 strerror(errno));
    }
    return xen->store != NULL;
}

void libxen_store_close(struct wisp_libxen *xen)
{
    if (xen->store) {
        xs_close(xen->store);
    }
}

enum wisp_xs_result libxen_xs_read(struct wisp_hypervisor *hv, wisp_xs_tx tx, const char *path,
                                   char *value, size_t size)
{
    unsigned length;
    char *text = xs_read(libxen_of(hv)->store, tx, path, &length);
    if (!text) {
        return errno == ENOENT ? WISP_XS_ABSENT : WISP_XS_FAILED;
    }
    bool fits = length < size;
    if (fits) {
        memcpy(value, text, length);
        value[length] = '\0';
    }
    free(text);
    return fits ? WISP_XS_OK : WISP_XS_FAILED;
}

enum wisp_xs_result libxen_xs_write(struct wisp_hypervisor *hv, wisp_xs_tx tx, const char *path,
                                    const char *value)
{
    bool done = xs_write(libxen_of(hv)->store, tx, path, value, (unsigned)strlen(value));
    return done ? WISP_XS_OK : WISP_XS_FAILED;
}

enum wisp_xs_result libxen_xs_remove(struct wisp_hypervisor *hv, wisp_xs_tx tx, const char *path)
{
    if (xs_rm(libxen_of(hv)->store, tx, path)) {
        return WISP_XS_OK;
    }
    return errno == ENOENT ? WISP_XS_ABSENT : WISP_XS_FAILED;
}

wisp_xs_tx libxen_xs_begin(struct wisp_hypervisor *hv)
{
    return xs_transaction_start(libxen_of(hv)->store);
}

enum wisp_xs_result libxen_xs_end(struct wisp_hypervisor *hv, wisp_xs_tx tx, bool abort)
{
    if (xs_transaction_end(libxen_of(hv)->store, tx, abort)) {
        return WISP_XS_OK;
    }
    return errno == EAGAIN ? WISP_XS_AGAIN : WISP_XS_FAILED;
}

static void token_text(uint32_t token, char text[16])
{
    snprintf(text, 16, "%u", token);
}

static struct libxen_watch *find(struct wisp_libxen *xen, uint32_t token)
{
    for (uint32_t i = 0; i < LIBXEN_WATCHES; i++) {
        if (xen->watch[i].used && xen->watch[i].token == token) {
            return &xen->watch[i];
        }
    }
    return NULL;
}

static struct libxen_watch *take(struct wisp_libxen *xen, uint32_t token)
{
    struct libxen_watch *watch = find(xen, token);
    for (uint32_t i = 0; i < LIBXEN_WATCHES && !watch; i++) {
        watch = xen->watch[i].used ? NULL : &xen->watch[i];
    }
    return watch;
}

enum wisp_xs_result libxen_xs_watch(struct wisp_hypervisor *hv, const char *path, uint32_t token)
{
    struct wisp_libxen *xen = libxen_of(hv);
    struct libxen_watch *watch = take(xen, token);
    char text[16];
    token_text(token, text);
    if (!watch || (!xs_watch(xen->store, path, text) && errno != EEXIST)) {
        return WISP_XS_FAILED;
    }
    *watch = (struct libxen_watch){.token = token, .fired = true, .used = true};
    return WISP_XS_OK;
}

void libxen_xs_unwatch(struct wisp_hypervisor *hv, const char *path, uint32_t token)
{
    struct wisp_libxen *xen = libxen_of(hv);
    struct libxen_watch *watch = find(xen, token);
    char text[16];
    token_text(token, text);
    if (watch) {
        watch->used = false;
        xs_unwatch(xen->store, path, text);
    }
}

bool libxen_xs_changed(struct wisp_hypervisor *hv, uint32_t token)
{
    struct wisp_libxen *xen = libxen_of(hv);
    char **told;
    while ((told = xs_check_watch(xen->store)) != NULL) {
        struct libxen_watch *watch = find(xen, (uint32_t)strtoul(told[XS_WATCH_TOKEN], NULL, 10));
        if (watch) {
            watch->fired = true;
        }
        free(told);
    }
    struct libxen_watch *watch = find(xen, token);
    bool fired = watch && watch->fired;
    if (fired) {
        watch->fired = false;
    }
    return fired;
}
