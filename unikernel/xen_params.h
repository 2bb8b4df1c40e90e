/* SPDX-License-Identifier: ISC */
/* The table behind the application's and the network's. */
#ifndef WISP_UNIKERNEL_XEN_PARAMS_H
#define WISP_UNIKERNEL_XEN_PARAMS_H

#include <wisp/platform.h>

extern const struct wisp_param wisp_xen_params[];

#endif
