/* SPDX-License-Identifier: ISC */
/*
 * In place of arguments.c where the boot parameters were fixed at build time: there is nothing to
 * read, and the domain's cmdline= is ignored. What the parameters are, each file learns from the
 * header that fix_params.c made, as constants, so that the compiler drops what they do not ask for.
 */
#include "start.h"

void wisp_arguments_init(void)
{
    wisp_platform_log(WISP_LOG_DEBUG, "boot", "parameters are those of the build");
}
