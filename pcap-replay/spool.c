/* SPDX-License-Identifier: ISC */
/* Spooling (see spool.h): to a temporary file, which goes when it is closed. */
#include "spool.h"
#include <errno.h>
#include <stdbool.h>

FILE *spool_rest(FILE *from)
{
    FILE *file = tmpfile();
    char buffer[65536];
    size_t n;
    bool good = file != NULL;
    while (good && (n = fread(buffer, 1, sizeof(buffer), from)) > 0) {
        good = fwrite(buffer, 1, n, file) == n;
    }
    good = good && !ferror(from) && fflush(file) == 0;
    if (file && !good) {
        int reason = errno;
        fclose(file);
        errno = reason;
        return NULL;
    }
    if (file) {
        rewind(file);
    }
    return file;
}
