/* SPDX-License-Identifier: ISC */
/*
 * Text for xenstore without a C library. Values are the backend's or the toolstack's word: a number
 * is a run of decimal digits and nothing else, a path that does not fit its buffer is an error,
 * never a shorter path.
 */
#include "keys.h"
#include <string.h>

struct text text_begin(char *buffer, size_t size)
{
    buffer[0] = '\0';
    return (struct text){buffer, size, false};
}

void text_add(struct text *text, const char *string)
{
    while (*string) {
        if (text->left <= 1) {
            text->cut = true;
            return;
        }
        *text->at++ = *string++;
        *text->at = '\0';
        text->left--;
    }
}

void text_add_number(struct text *text, uint32_t number)
{
    char digits[11];
    size_t i = sizeof(digits) - 1;
    digits[i] = '\0';
    do {
        digits[--i] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    text_add(text, &digits[i]);
}

bool text_number(const char *string, uint32_t max, uint32_t *number)
{
    uint64_t value = 0;
    if (!*string) {
        return false;
    }
    for (; *string; string++) {
        if (*string < '0' || *string > '9') {
            return false;
        }
        value = value * 10 + (uint64_t)(*string - '0');
        if (value > max) {
            return false;
        }
    }
    *number = (uint32_t)value;
    return true;
}

size_t text_length(const char *string)
{
    size_t n = 0;
    while (string[n]) {
        n++;
    }
    return n;
}

bool text_equal(const char *a, const char *b)
{
    size_t length = text_length(a);
    return length == text_length(b) && memcmp(a, b, length) == 0;
}

static bool path_of(const struct keys *keys, const char *key, char path[WISP_XS_PATH_MAX])
{
    struct text text = text_begin(path, WISP_XS_PATH_MAX);
    text_add(&text, keys->base);
    text_add(&text, "/");
    text_add(&text, keys->sub);
    text_add(&text, key);
    return !text.cut;
}

enum wisp_xs_result keys_read(const struct keys *keys, const char *key, char *value, size_t size)
{
    char path[WISP_XS_PATH_MAX];
    if (!path_of(keys, key, path)) {
        return WISP_XS_FAILED;
    }
    return keys->hv->ops->xs_read(keys->hv, keys->tx, path, value, size);
}

bool keys_read_number(const struct keys *keys, const char *key, uint32_t max, uint32_t *number,
                      bool *bad)
{
    char value[WISP_XS_VALUE_MAX];
    enum wisp_xs_result result = keys_read(keys, key, value, sizeof(value));
    if (result == WISP_XS_OK && text_number(value, max, number)) {
        return true;
    }
    *bad |= result != WISP_XS_ABSENT;
    return false;
}

enum wisp_xs_result keys_write(const struct keys *keys, const char *key, const char *value)
{
    char path[WISP_XS_PATH_MAX];
    if (!path_of(keys, key, path)) {
        return WISP_XS_FAILED;
    }
    return keys->hv->ops->xs_write(keys->hv, keys->tx, path, value);
}

enum wisp_xs_result keys_write_number(const struct keys *keys, const char *key, uint32_t number)
{
    char value[12];
    struct text text = text_begin(value, sizeof(value));
    text_add_number(&text, number);
    return keys_write(keys, key, value);
}

enum wisp_xs_result keys_remove(const struct keys *keys, const char *key)
{
    char path[WISP_XS_PATH_MAX];
    if (!path_of(keys, key, path)) {
        return WISP_XS_FAILED;
    }
    enum wisp_xs_result result = keys->hv->ops->xs_remove(keys->hv, keys->tx, path);
    return result == WISP_XS_ABSENT ? WISP_XS_OK : result;
}
