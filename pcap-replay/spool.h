/* SPDX-License-Identifier: ISC */
/* What can be read but once, kept in a file without a name, so that it can be read again. */
#ifndef REPLAY_SPOOL_H
#define REPLAY_SPOOL_H

#include <stdio.h>

/* The rest of from, at its beginning. Null: errno says why. */
FILE *spool_rest(FILE *from);

#endif
