/* SPDX-License-Identifier: ISC */
/* What the files of this folder tell each other. */
#ifndef WISP_PLATFORM_LINUX_H
#define WISP_PLATFORM_LINUX_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <wisp/platform.h>

/* arguments.c: reads the command line; answers --help and --version, and ends for a bad one. */
void linux_arguments(int argc, char **argv);

/* The number a parameter is, within bounds; ends the process for another. */
uint32_t linux_number(const char *name, unsigned long least, unsigned long most);

/* check.c: ends the process for an address, a gateway or a name that cannot be meant. */
void linux_check(void);

/* memory.c: reads --memory and takes that much. */
void linux_memory_init(void);

/* device.c: the descriptors to poll, and how many; what to do after that; and the end of the device. */
#define LINUX_DEVICE_FDS 2
uint32_t linux_device_fds(struct pollfd fds[LINUX_DEVICE_FDS]);
void linux_device_collect(void);

/* Ends the device and the capture; null, or why the capture is not whole. */
const char *linux_device_close(void);

/* device.c: the device and the pool it takes its pages from; null before there is one. */
const struct wisp_netdev *linux_device(void);
const struct wisp_pool *linux_device_pages(void);

/* counters.c: writes the counters of every layer to standard error. */
void linux_counters_print(void);

/* capture.c: writes frames to a pcap file, and ends the process when that fails later. Null: why it cannot. */
struct wisp_netdev *linux_capture_open(const char *file, struct wisp_netdev *dev, char *why,
                                       size_t size);

/* The end of the file, if there is one. Null, or one line that says why frames are missing in it. */
const char *linux_capture_close(void);

/* wait.c: from now on SIGINT and SIGTERM ask for an orderly end, SIGUSR1 for the counters, and a file at its
 * limit is an error of the write instead of a signal. */
void linux_signals_init(void);

/* clock.c: the start of time; and the wall clock's nanoseconds since 1970 at that start. */
void linux_clock_init(void);
uint64_t linux_clock_epoch(void);

/* log.c: checks --log. */
void linux_log_init(void);

#endif
