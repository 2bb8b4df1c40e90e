/* SPDX-License-Identifier: ISC */
/* Options as this version of the library knows them, of a caller that may know others. */
#ifndef REPLAY_OPTIONS_H
#define REPLAY_OPTIONS_H

#include "pcapreplay.h"

/* False: they were never set to the defaults, or ask for what only a later version can do. */
bool options_take(struct pcapreplay_options *own, const struct pcapreplay_options *options);

#endif
