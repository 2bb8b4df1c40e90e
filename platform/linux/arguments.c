/* SPDX-License-Identifier: ISC */
/* The command line of the process, and what only a Linux process can be told. */
#include "linux.h"
#include "params.h"
#include <stdio.h>
#include <stdlib.h>
#include <wisp/version.h>

static const struct wisp_param linux_params[] = {
    {"tap", "wisp0", "NAME", "tap device, made when that is allowed"},
    {"xen", NULL, "HANDLE", "xen-netfront on device/vif/HANDLE of this domain instead of a tap"},
    {"xen-pages", "500", "PAGES", "pages shared with the Xen backend: all there are for packets"},
    {"tap-host", "10.0.0.1/24", "ADDR/BITS", "address of the tap's other end, if it is made here"},
    {"mtu", NULL, "BYTES", "MTU of the tap, if it is made here"},
    {"mac", NULL, "XX:XX:XX:XX:XX:XX", "own hardware address; made from the tap's name"},
    {"offload", "on", "on|csum|off", "checksums and segmentation by the kernel, or checksums only"},
    {"memory", "64M", "SIZE", "memory for pages and connections: 4M or more, 9M with TCP"},
    {"pcap", NULL, "FILE", "write all frames to FILE"},
    {"log", "*:info", "SPEC", "what to log, like net:debug,*:warn"},
    {"help", NULL, NULL, "print this"},
    {"version", NULL, NULL, "print the version"},
    {NULL, NULL, NULL, NULL},
};

static struct wisp_params params;

void linux_arguments(int argc, char **argv)
{
    char why[1024];
    wisp_params_init(&params, &wisp_app, linux_params);
    for (int i = 1; i < argc; i++) {
        if (!wisp_params_word(&params, argv[i], why, sizeof(why))) {
            wisp_platform_exit(2, why);
        }
    }
    if (wisp_params_value(&params, "help")) {
        wisp_params_help(&params, wisp_platform_print);
        wisp_platform_print(
            "\nSignals:\n"
            "  SIGUSR1                         print the counters of every layer on standard error\n"
            "  SIGINT, SIGTERM                 end in order; a second SIGINT or SIGTERM ends at once\n");
        exit(0);
    }
    if (wisp_params_value(&params, "version")) {
        snprintf(why, sizeof(why), "%s (wisp) %s\n", wisp_app.name, WISP_VERSION_STRING);
        wisp_platform_print(why);
        exit(0);
    }
}

const char *wisp_platform_param(const char *name)
{
    return wisp_params_value(&params, name);
}

enum wisp_param_source wisp_platform_param_source(const char *name)
{
    return wisp_params_source(&params, name);
}

const char *wisp_platform_operand(uint32_t index)
{
    return wisp_params_operand(&params, index);
}

uint32_t linux_number(const char *name, unsigned long least, unsigned long most)
{
    const char *text = wisp_platform_param(name);
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || value < least || value > most) {
        char why[96];
        snprintf(why, sizeof(why), "--%s is a number from %lu to %lu", name, least, most);
        wisp_platform_exit(2, why);
    }
    return (uint32_t)value;
}
