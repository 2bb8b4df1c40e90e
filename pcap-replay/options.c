/* SPDX-License-Identifier: ISC */
/* Options of callers of any version (see options.h): `size` bytes of them are the caller's, the rest is as by default. */
#include "options.h"
#include <string.h>

void pcapreplay_options_fill(struct pcapreplay_options *options, size_t size)
{
    const struct pcapreplay_options defaults = {.size = size, .mtu = 1500, .seed = 1, .queues = 1};
    memset(options, 0, size);
    memcpy(options, &defaults, size < sizeof(defaults) ? size : sizeof(defaults));
}

bool options_take(struct pcapreplay_options *own, const struct pcapreplay_options *options)
{
    size_t size = options->size;
    if (size < sizeof(options->size) || size > 4096) { /* never initialised */
        return false;
    }
    for (size_t i = sizeof(*own); i < size; i++) {
        if (((const uint8_t *)options)[i]) {
            return false;
        }
    }
    pcapreplay_options_fill(own, sizeof(*own));
    memcpy(own, options, size < sizeof(*own) ? size : sizeof(*own));
    return true;
}
