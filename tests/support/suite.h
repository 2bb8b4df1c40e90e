/* SPDX-License-Identifier: ISC */
/* Runs one Check suite the way the build expects: TAP on standard output when asked, else Check's own text. */
#ifndef WISP_TESTS_SUITE_H
#define WISP_TESTS_SUITE_H

#include <check.h>

/* Runs suite and frees it; returns the exit status for main. */
int wisp_suite_run(Suite *suite);

#endif
