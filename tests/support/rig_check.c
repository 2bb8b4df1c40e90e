/* SPDX-License-Identifier: ISC */
/* The rig in a Check test. */
#include "rig.h"
#include "suite.h"
#include <stdlib.h>

void rig_fail(const char *what)
{
    ck_abort_msg("%s", what);
    abort();
}
