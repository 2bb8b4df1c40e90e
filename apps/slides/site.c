/* SPDX-License-Identifier: ISC */
/* See site.h. */
#include "site.h"

void site_init(void)
{
    for (uint32_t i = 0; i < site_count; i++) {
        wisp_foreign_init(&site_pages[site_files[i].page], site_files[i].data,
                          site_files[i].length);
    }
}

static int compare(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (uint8_t)*a - (uint8_t)*b;
}

const struct site_file *site_find(const char *path)
{
    uint32_t low = 0;
    uint32_t high = site_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = compare(path, site_files[middle].path);
        if (order == 0) {
            return &site_files[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}
