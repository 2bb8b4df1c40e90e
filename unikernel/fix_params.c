/* SPDX-License-Identifier: ISC */
/*
 * Runs at build time, linked with an application's tables: checks the words it is given as a boot
 * would, and writes a header that answers wisp_platform_param and its like with constants.
 */
#include "params.h"
#include "xen_params.h"
#include <stdio.h>

static struct wisp_params params;

static void print_string(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        printf(*text < ' ' || *text == '"' || *text == '\\' || *text == '?' ? "\\%03o" : "%c",
               (unsigned char)*text);
    }
    putchar('"');
}

static void print_values(void)
{
    printf("static inline __attribute__((always_inline)) const char *wisp_fixed_param(const char "
           "*name)\n{\n");
    for (unsigned t = 0; t < WISP_PARAMS_TABLES; t++) {
        for (const struct wisp_param *p = params.table[t]; p && p->name; p++) {
            const char *value = wisp_params_value(&params, p->name);
            if (value) {
                printf("    if (!__builtin_strcmp(name, \"%s\")) {\n        return ", p->name);
                print_string(value);
                printf(";\n    }\n");
            }
        }
    }
    printf("    return 0;\n}\n\n");
}

static void print_sources(void)
{
    printf("static inline enum wisp_param_source wisp_fixed_source(const char *name)\n{\n");
    for (unsigned t = 0; t < WISP_PARAMS_TABLES; t++) {
        for (const struct wisp_param *p = params.table[t]; p && p->name; p++) {
            if (wisp_params_source(&params, p->name) == WISP_PARAM_GIVEN) {
                printf("    if (!__builtin_strcmp(name, \"%s\")) {\n"
                       "        return WISP_PARAM_FIXED;\n    }\n",
                       p->name);
            }
        }
    }
    printf("    return wisp_fixed_param(name) ? WISP_PARAM_DEFAULT : WISP_PARAM_NONE;\n}\n\n");
}

static void print_operands(void)
{
    printf("static inline const char *wisp_fixed_operand(uint32_t index)\n{\n");
    for (uint32_t i = 0; i < params.operands; i++) {
        printf("    if (index == %uu) {\n        return ", i);
        print_string(params.operand[i]);
        printf(";\n    }\n");
    }
    printf("    (void)index;\n    return 0;\n}\n\n");
}

int main(int argc, char **argv)
{
    char why[1024];
    wisp_params_init(&params, &wisp_app, wisp_xen_params);
    for (int i = 1; i < argc; i++) {
        if (!wisp_params_word(&params, argv[i], why, sizeof(why))) {
            fprintf(stderr, "fixed parameters of %s: %s\n", wisp_app.name, why);
            return 2;
        }
    }
    printf("/* Made by unikernel/fix_params.c. */\n#ifndef __ASSEMBLER__\n#include "
           "<wisp/platform.h>\n\n");
    print_values();
    print_sources();
    print_operands();
    printf("#define wisp_platform_param(name)        wisp_fixed_param(name)\n"
           "#define wisp_platform_param_source(name) wisp_fixed_source(name)\n"
           "#define wisp_platform_operand(index)     wisp_fixed_operand(index)\n"
           "#endif\n");
    return 0;
}
