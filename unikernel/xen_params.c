/* SPDX-License-Identifier: ISC */
/* The parameters of the platform: what only a Xen guest can be told. */
#include "xen_params.h"
#include <stddef.h>

const struct wisp_param wisp_xen_params[] = {
    {"offload", "on", "on|csum|sg|off",
     "use of the backend's segmentation, checksums, scatter-gather"},
    {"split-events", "on", "on|off", "an event channel for each direction"},
    {"trust", "xenstore", "xenstore|yes|no", "trust the backend's word and pages"},
    {"seed", NULL, "TEXT", "mixed into the random numbers, beside the processor's"},
    {"log", "*:info", "SPEC", "what to log, like net:debug,*:warn"},
    {"help", NULL, NULL, "print this"},
    {"version", NULL, NULL, "print the version"},
    {NULL, NULL, NULL, NULL},
};
