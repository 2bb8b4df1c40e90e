/* SPDX-License-Identifier: ISC */
/* Version of the wisp headers. */
#ifndef WISP_VERSION_H
#define WISP_VERSION_H

#define WISP_VERSION_MAJOR  0
#define WISP_VERSION_MINOR  1
#define WISP_VERSION_PATCH  0
#define WISP_VERSION_STRING "0.1.0"

/* Counts incompatible changes of the interface. The libraries are static: a program is built anew with each. */
#define WISP_API_VERSION 0

#endif
