/* SPDX-License-Identifier: ISC */
/* Xenstore paths and numbers as text, within fixed buffers, and reads and writes of them. */
#ifndef WISP_NETFRONT_KEYS_H
#define WISP_NETFRONT_KEYS_H

#include "hypervisor.h"

/* A text being put together; what does not fit marks it and is left out. Always ends with a zero.
 */
struct text {
    char *at;
    size_t left; /* with the final zero */
    bool cut;
};

struct text text_begin(char *buffer, size_t size);
void text_add(struct text *text, const char *string);
void text_add_number(struct text *text, uint32_t number);

/* The decimal number that string is, all of it, at most max; false: it is none. */
bool text_number(const char *string, uint32_t max, uint32_t *number);

bool text_equal(const char *a, const char *b);
size_t text_length(const char *string);

/* One directory of xenstore, within one transaction (0: none). */
struct keys {
    struct wisp_hypervisor *hv;
    wisp_xs_tx tx;
    const char *base; /* "device/vif/0" */
    const char *sub;  /* "" or "queue-3/" */
};

enum wisp_xs_result keys_read(const struct keys *keys, const char *key, char *value, size_t size);

/* A decimal number at most max. False: absent (*bad unchanged), or not such a number (*bad set). */
bool keys_read_number(const struct keys *keys, const char *key, uint32_t max, uint32_t *number,
                      bool *bad);

enum wisp_xs_result keys_write(const struct keys *keys, const char *key, const char *value);
enum wisp_xs_result keys_write_number(const struct keys *keys, const char *key, uint32_t number);

/* Removes key; its absence is as good. */
enum wisp_xs_result keys_remove(const struct keys *keys, const char *key);

#endif
