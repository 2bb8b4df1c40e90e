/* SPDX-License-Identifier: ISC */
/* The list of captures of --files-from (see batch.h). It is read as it goes, so that a pipe can still be written,
 * unless it is to be read again. */
#define _GNU_SOURCE
#include "batch.h"
#include "pcapreplay.h"
#include "spool.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool batch_open(struct batch *batch, const char *list, bool again)
{
    *batch = (struct batch){.list = strcmp(list, "-") == 0 ? stdin : fopen(list, "r")};
    if (!batch->list || !again) {
        return batch->list != NULL;
    }
    FILE *copy = spool_rest(batch->list);
    int reason = errno;
    if (batch->list != stdin) {
        fclose(batch->list);
    }
    batch->list = copy;
    errno = reason;
    return copy != NULL;
}

void batch_again(struct batch *batch)
{
    rewind(batch->list);
    batch->number = 0;
}

bool batch_next(struct batch *batch, const char **reason)
{
    ssize_t length;
    *reason = NULL;
    do {
        errno = 0;
        length = getline(&batch->path, &batch->space, batch->list);
        if (length < 0) {
            *reason = feof(batch->list) ? NULL : strerror(errno);
            return false;
        }
        if (batch->path[length - 1] == '\n') {
            batch->path[--length] = '\0';
        }
    } while (length == 0);
    if (strlen(batch->path) != (size_t)length) {
        *reason = "a zero byte in it: write one path a line, as `find -print` does";
        return false;
    }
    batch->number++;
    return true;
}

void batch_close(struct batch *batch)
{
    if (batch->list != stdin) {
        fclose(batch->list);
    }
    free(batch->path);
}

bool batch_is_pattern(const char *name)
{
    return strstr(name, "%n") != NULL;
}

char *batch_file_name(const struct batch *batch, const char *pattern)
{
    char *name = NULL;
    size_t size;
    FILE *memory = pattern ? open_memstream(&name, &size) : NULL;
    if (!memory) {
        return NULL;
    }
    for (const char *at; (at = strstr(pattern, "%n")) != NULL; pattern = at + 2) {
        fprintf(memory, "%.*s%llu", (int)(at - pattern), pattern,
                (unsigned long long)batch->number);
    }
    fputs(pattern, memory);
    fclose(memory);
    return name;
}

int batch_worse(int status, int other)
{
    static const int order[] = {PCAPREPLAY_FAULT,    PCAPREPLAY_USAGE, PCAPREPLAY_UNREADABLE,
                                PCAPREPLAY_MISMATCH, PCAPREPLAY_MATCH, PCAPREPLAY_NOTHING};
    size_t i = 0;
    while (order[i] != status && order[i] != other) {
        i++;
    }
    return order[i];
}
