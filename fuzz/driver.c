/* SPDX-License-Identifier: ISC */
/*
 * Runs a fuzz target over files and folders given as arguments, one after the other: how the corpus is tested
 * without a fuzzer. Prints TAP: one line for each argument. Hidden files are passed over.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t inputs;

static void run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    static uint8_t data[1 << 20];
    if (!f) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(1);
    }
    size_t n = fread(data, 1, sizeof(data), f);
    fclose(f);
    uint8_t *copy = malloc(n ? n : 1); /* exactly as long, so that an over-read is seen */
    memcpy(copy, data, n);
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
    inputs++;
}

static void run_path(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
        run_file(path);
        return;
    }
    DIR *dir = opendir(path);
    for (struct dirent *entry; (entry = readdir(dir));) {
        char inner[4096];
        if (entry->d_name[0] == '.') {
            continue;
        }
        snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
        run_path(inner);
    }
    closedir(dir);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s FILE|FOLDER...\n", argv[0]);
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        uint32_t before = inputs;
        run_path(argv[i]);
        const char *name = strrchr(argv[i], '/');
        printf("%sok %d - corpus_%s__%u_inputs\n", inputs > before ? "" : "not ", i,
               name ? name + 1 : argv[i], inputs - before);
    }
    printf("1..%d\n", argc - 1);
    return 0;
}
