/* SPDX-License-Identifier: ISC */
/*
 * Parameters against tables. A parameter's place is its number over all tables in order, found by name; the
 * tables hold a few dozen entries and are searched a few dozen times, so nothing is indexed.
 */
#include "params.h"

/* Appends to a text of fixed size, silently cut. */
struct line {
    char *text;
    size_t size;
    size_t used;
};

static void add(struct line *line, const char *text)
{
    while (*text && line->used + 1 < line->size) {
        line->text[line->used++] = *text++;
    }
    if (line->size) {
        line->text[line->used] = 0;
    }
}

/* Whether the first length characters of word are name. */
static bool same(const char *name, const char *word, size_t length)
{
    size_t i = 0;
    while (i < length && name[i] && name[i] == word[i]) {
        i++;
    }
    return i == length && !name[i];
}

static size_t length_of(const char *text)
{
    size_t n = 0;
    while (text[n]) {
        n++;
    }
    return n;
}

/* The parameter called by the first length characters of name, and its number; or null. */
static const struct wisp_param *find(const struct wisp_params *params, const char *name,
                                     size_t length, uint32_t *number)
{
    *number = 0;
    for (uint32_t t = 0; t < WISP_PARAMS_TABLES; t++) {
        const struct wisp_param *p = params->table[t];
        for (; p && p->name && *number < WISP_PARAMS_MOST; p++, ++*number) {
            if (same(p->name, name, length)) {
                return p;
            }
        }
    }
    return NULL;
}

void wisp_params_init(struct wisp_params *params, const struct wisp_app *app,
                      const struct wisp_param *platform)
{
    *params = (struct wisp_params){.app = app, .table = {app->params, wisp_net_params, platform}};
}

static bool refuse_unknown(const struct wisp_params *params, const char *word, struct line *why)
{
    add(why, word);
    add(why, ": no such parameter; valid are");
    for (uint32_t t = 0; t < WISP_PARAMS_TABLES; t++) {
        for (const struct wisp_param *p = params->table[t]; p && p->name; p++) {
            add(why, " --");
            add(why, p->name);
        }
    }
    return false;
}

static bool refuse_value(const struct wisp_param *param, struct line *why)
{
    add(why, "--");
    add(why, param->name);
    if (param->argument) {
        add(why, " needs a value: --");
        add(why, param->name);
        add(why, "=");
        add(why, param->argument);
    } else {
        add(why, " takes no value");
    }
    return false;
}

static bool take_operand(struct wisp_params *params, const char *word, struct line *why)
{
    if (!params->app->operands || params->operands == WISP_PARAMS_OPERANDS) {
        add(why, word);
        add(why, params->app->operands ? ": too many operands"
                                       : ": not a parameter; write --name=value, or --help");
        return false;
    }
    params->operand[params->operands++] = word;
    return true;
}

bool wisp_params_word(struct wisp_params *params, const char *word, char *text, size_t size)
{
    struct line why = {text, size, 0};
    if (word[0] != '-' || word[1] != '-') {
        return take_operand(params, word, &why);
    }
    const char *name = word + 2;
    size_t length = 0;
    while (name[length] && name[length] != '=') {
        length++;
    }
    uint32_t number;
    const struct wisp_param *param = find(params, name, length, &number);
    if (!param) {
        return refuse_unknown(params, word, &why);
    }
    bool has_value = name[length] == '=';
    if (has_value != (param->argument != NULL)) {
        return refuse_value(param, &why);
    }
    params->given[number] = has_value ? name + length + 1 : "";
    return true;
}

const char *wisp_params_value(const struct wisp_params *params, const char *name)
{
    uint32_t number;
    const struct wisp_param *param = find(params, name, length_of(name), &number);
    if (!param) {
        __builtin_trap(); /* the program asks for what it did not declare */
    }
    return params->given[number] ? params->given[number] : param->value;
}

enum wisp_param_source wisp_params_source(const struct wisp_params *params, const char *name)
{
    uint32_t number;
    const struct wisp_param *param = find(params, name, length_of(name), &number);
    if (param && params->given[number]) {
        return WISP_PARAM_GIVEN;
    }
    return param && param->value ? WISP_PARAM_DEFAULT : WISP_PARAM_NONE;
}

const char *wisp_params_operand(const struct wisp_params *params, uint32_t index)
{
    return index < params->operands ? params->operand[index] : NULL;
}

static void help_one(const struct wisp_param *param, void (*put)(const char *))
{
    size_t width = 4 + length_of(param->name);
    put("  --");
    put(param->name);
    if (param->argument) {
        put("=");
        put(param->argument);
        width += 1 + length_of(param->argument);
    }
    for (; width < 32; width++) {
        put(" ");
    }
    put("  ");
    put(param->help);
    if (param->value && param->value[0]) {
        put(" (");
        put(param->value);
        put(")");
    }
    put("\n");
}

void wisp_params_help(const struct wisp_params *params, void (*put)(const char *text))
{
    static const char *const title[WISP_PARAMS_TABLES] = {"\n", "\nNetwork:\n", "\nPlatform:\n"};
    put("usage: ");
    put(params->app->name);
    put(" [--name=value ...]");
    if (params->app->operands) {
        put(" ");
        put(params->app->operands);
    }
    put("\n");
    put(params->app->summary);
    put("\n");
    for (uint32_t t = 0; t < WISP_PARAMS_TABLES; t++) {
        const struct wisp_param *p = params->table[t];
        put(p && p->name ? title[t] : "");
        for (; p && p->name; p++) {
            help_one(p, put);
        }
    }
}
