/* SPDX-License-Identifier: ISC */
/*
 * What an application needs from where it runs: a Linux process on a tap, or a sealed Xen guest.
 * The application is the same source; which platform it runs on is chosen by linking.
 *
 * An application defines wisp_app (its name and parameters) and wisp_app_main, and uses these functions,
 * the stack's headers and the freestanding C headers, nothing else.
 */
#ifndef WISP_PLATFORM_H
#define WISP_PLATFORM_H

#include <stdarg.h>
#include <wisp/clock.h>
#include <wisp/counter.h>
#include <wisp/hash.h>
#include <wisp/netdev.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A boot parameter: --name=value (or --name alone, value "" then, when flag is set). */
struct wisp_param {
    const char *name;     /* "ipv4" */
    const char *value;    /* default, or null: none */
    const char *argument; /* what stands after = in the help text: "ADDR/BITS"; null for a flag */
    const char *help;     /* one line */
};

struct wisp_app {
    const char *name;                /* "slides" */
    const char *summary;             /* one line for --help */
    const struct wisp_param *params; /* the application's own, ended by a null name; may be null */
    const char *operands;            /* "HOST [COUNT]" for the help text; null: none allowed */
};

/* Defined by the application. */
extern const struct wisp_app wisp_app;

/* The application; returns its exit status (0 good). Started once, on one thread. */
int wisp_app_main(void);

/*
 * The value of a boot parameter of the application or of the network set-up, from (in this order) what was
 * fixed at build time, the command line, its default. Null: not given and no default. Asking for a name
 * that nobody declared is an assertion.
 */
const char *wisp_platform_param(const char *name);

enum wisp_param_source { WISP_PARAM_NONE, WISP_PARAM_DEFAULT, WISP_PARAM_GIVEN, WISP_PARAM_FIXED };

/* Where wisp_platform_param's value of name came from; NONE: there is none. */
enum wisp_param_source wisp_platform_param_source(const char *name);

/* Operand number index (words that are not parameters), or null beyond the last. */
const char *wisp_platform_operand(uint32_t index);

/* Nanoseconds since the start, monotonic. One reading per step suffices. */
wisp_time wisp_platform_now(void);

/* Fills len bytes with entropy fit for keys. Never fails: a platform without entropy does not start. */
void wisp_platform_entropy(void *bytes, size_t len);

/* The fastest sum this CPU has, and the keyed hash. */
wisp_sum_fn wisp_platform_sum(void);
wisp_hash_fn wisp_platform_hash(void);

/*
 * Memory for the page pool: page aligned, *pages pages of it (what memory= or --memory gives, less what
 * the platform keeps), zeroed. The same region in every call.
 */
void *wisp_platform_pages(uint32_t *pages);

/* Memory for everything else, size bytes, 64-aligned, zeroed; null when there is none left. There is no
 * call to give it back: memory is taken once, at start. */
void *wisp_platform_memory(size_t size);

/*
 * The network device number index, ready to be used, its pages taken from pages; or null: none there.
 * wisp_platform_netdev_reason then says why in one line.
 */
struct wisp_netdev *wisp_platform_netdev(uint32_t index, struct wisp_pool *pages);
const char *wisp_platform_netdev_reason(void);

/* A platform-given configuration of device index (xenstore's `ip`: "ADDR MASK [GATEWAY]"), or null. */
const char *wisp_platform_netdev_config(uint32_t index);

/*
 * Has show's counters of self (a stack's, say) printed with those of the device and the page pool when somebody asks
 * for them: a Linux process prints them on standard error for a SIGUSR1, in the next wisp_platform_wait, and goes
 * on. show null: not any more; else self lives as long as wisp_platform_wait is called. The first 8 are kept.
 * A guest cannot be asked, and keeps none.
 */
void wisp_platform_counters(wisp_counter_fn show, const void *self);

enum wisp_log_level { WISP_LOG_ERROR, WISP_LOG_WARN, WISP_LOG_INFO, WISP_LOG_DEBUG };

/* Modules that the application logs as, besides its own name, ended by null. Optional: without it a Linux process knows
 * its name, net and dhcp, and refuses a --log that names others. */
extern const char *const wisp_app_log_modules[];

/* Writes one line with the time since start, if module's level lets it pass. The format is wisp_platform_format's. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
void wisp_platform_log(enum wisp_log_level level, const char *module, const char *format, ...);

/* Writes text to the console (standard output), as it is; or len bytes of anything. */
void wisp_platform_print(const char *text);
void wisp_platform_output(const void *bytes, size_t len);

/*
 * Writes into text as snprintf does: at most size bytes with the final zero; returns the full length. It knows %s %d
 * %i %u %x %X %o %c %p and %%, the lengths hh h l ll z t j, the flags 0 and -, a width, and a precision for %s; * for
 * either. From anything else on the format is written out as it stands: no floating point.
 */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
int wisp_platform_format(char *text, size_t size, const char *format, ...);

/* A description of the platform for people: "Linux 6.1, tap wisp0", "Xen 4.17 PV". */
const char *wisp_platform_name(void);

/*
 * Sleeps until a device has something, deadline is reached, or a shutdown is asked for. Returns false in
 * the last case: finish (close what is open, return from wisp_app_main).
 */
bool wisp_platform_wait(wisp_time deadline);

/* Ends the program with a reason for people. status 0 is success, 2 a usage error, 1 anything else. */
#if defined(__GNUC__)
__attribute__((noreturn))
#endif
void wisp_platform_exit(int status, const char *reason);

#ifdef __cplusplus
}
#endif
#endif
