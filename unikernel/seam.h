/* SPDX-License-Identifier: ISC */
/* The guest's struct wisp_hypervisor: one, for all devices. */
#ifndef WISP_UNIKERNEL_SEAM_H
#define WISP_UNIKERNEL_SEAM_H

#include "hypervisor.h"

struct wisp_hypervisor *wisp_xen_hypervisor(void);

#endif
