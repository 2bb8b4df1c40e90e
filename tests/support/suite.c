/* SPDX-License-Identifier: ISC */
/* See suite.h. Check reads CK_TAP_LOG_FILE_NAME, CK_VERBOSITY, CK_FORK and CK_RUN_CASE itself. */
#include "suite.h"
#include <stdlib.h>

int wisp_suite_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
