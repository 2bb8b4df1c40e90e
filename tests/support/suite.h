/* SPDX-License-Identifier: ISC */
/* Runs one Check suite the way the build expects: TAP on standard output when asked, else Check's own text. */
#ifndef WISP_TESTS_SUITE_H
#define WISP_TESTS_SUITE_H

#include <check.h>

/*
 * An assertion that holds costs a comparison. Check's own also writes where it stands to the process that waits, so that
 * a crash can be told from there: several system calls each, most of the time of tests that assert millions of times.
 * A crash is told by the sanitizer or a debugger. All other assertions of Check's are made of this one.
 */
#undef ck_assert_msg
#define ck_assert_msg(expr, ...)                                                                   \
    ((expr) ? (void)0                                                                              \
            : _ck_assert_failed(__FILE__, __LINE__, "Assertion '" #expr "' failed", __VA_ARGS__))

/* Runs suite and frees it; returns the exit status for main. */
int wisp_suite_run(Suite *suite);

#endif
