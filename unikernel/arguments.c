/* SPDX-License-Identifier: ISC */
/*
 * The command line that cmdline= gave, cut into words at blanks. A wrong one ends the guest with a
 * line that names what is valid.
 */
#include "libc.h"
#include "machine.h"
#include "params.h"
#include "start.h"
#include "xen_params.h"
#include <string.h>
#include <wisp/version.h>

static struct wisp_params params;
static char words[WISP_CMDLINE_MAX]; /* the parameters' values stay here */

static void take_word(const char *word)
{
    static char why[1024];
    if (!wisp_params_word(&params, word, why, sizeof(why))) {
        wisp_platform_exit(2, why);
    }
}

static void cut(void)
{
    char *at = words;
    while (*at) {
        char *word = at;
        while (*at && *at != ' ' && *at != '\t') {
            at++;
        }
        bool more = *at != 0;
        *at = 0;
        at += more;
        if (*word) {
            take_word(word);
        }
    }
}

void wisp_arguments_init(void)
{
    if (wisp_guest.cmdline[WISP_CMDLINE_MAX - 2]) { /* full: of a longer one the end is missing */
        wisp_platform_exit(2, "cmdline= is longer than 1022 bytes");
    }
    memcpy(words, wisp_guest.cmdline, sizeof(words));
    wisp_params_init(&params, &wisp_app, wisp_xen_params);
    cut();
    if (wisp_params_value(&params, "help")) {
        wisp_params_help(&params, wisp_platform_print);
        wisp_start_end();
    }
    if (wisp_params_value(&params, "version")) {
        wisp_platform_print(wisp_app.name);
        wisp_platform_print(" (wisp) " WISP_VERSION_STRING "\n");
        wisp_start_end();
    }
}

const char *wisp_platform_param(const char *name)
{
    return wisp_params_value(&params, name);
}

enum wisp_param_source wisp_platform_param_source(const char *name)
{
    return wisp_params_source(&params, name);
}

const char *wisp_platform_operand(uint32_t index)
{
    return wisp_params_operand(&params, index);
}
