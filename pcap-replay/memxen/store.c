/* SPDX-License-Identifier: ISC */
/*
 * xenstore (see memxen.h): nodes with values, watches, transactions. A few dozen nodes in lists: clarity
 * before speed, nothing on the data path comes here.
 *
 *   write, remove      the node gets the next generation; watches at or above it fire (removing also fires
 *                      those below)
 *   transaction        keeps what it wrote, and notes what it read; at its end it is applied as one, or told
 *                      AGAIN when a node it touched got a generation later than its beginning
 *
 * A removed node stays in the list as a gravestone, so that its removal is a conflict too. Paths here are
 * absolute. Left out: permissions, quotas, directories.
 */
#include "memxen_priv.h"
#include <stdlib.h>
#include <string.h>

struct memxen_node {
    struct memxen_node *next;
    char *path;
    char *value; /* null: removed */
    uint64_t generation;
};

struct memxen_watch {
    struct memxen_watch *next;
    enum memxen_owner owner;
    char *path;
    uint32_t token;
    bool fired;
};

enum change_kind { CHANGE_READ, CHANGE_WRITE, CHANGE_REMOVE };

/* In the order made, oldest first. */
struct memxen_change {
    struct memxen_change *next;
    wisp_xs_tx tx;
    enum change_kind kind;
    char *path;
    char *value;
};

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    if (copy) {
        memcpy(copy, text, size);
    }
    return copy;
}

/* path is at or below top. */
static bool within(const char *path, const char *top)
{
    size_t length = strlen(top);
    return strncmp(path, top, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

void memxen_store_init(struct memxen_store *store)
{
    *store = (struct memxen_store){.generation = 1};
}

static void forget_changes(struct memxen_store *store, wisp_xs_tx tx)
{
    struct memxen_change **at = &store->changes;
    while (*at) {
        struct memxen_change *change = *at;
        if (change->tx != tx) {
            at = &change->next;
            continue;
        }
        *at = change->next;
        free(change->path);
        free(change->value);
        free(change);
    }
}

void memxen_store_fini(struct memxen_store *store)
{
    for (wisp_xs_tx tx = 1; tx <= sizeof(store->begun) / sizeof(store->begun[0]); tx++) {
        forget_changes(store, tx);
    }
    while (store->nodes) {
        struct memxen_node *node = store->nodes;
        store->nodes = node->next;
        free(node->path);
        free(node->value);
        free(node);
    }
    while (store->watches) {
        struct memxen_watch *watch = store->watches;
        store->watches = watch->next;
        free(watch->path);
        free(watch);
    }
}

static struct memxen_node *find_node(const struct memxen_store *store, const char *path)
{
    struct memxen_node *node = store->nodes;
    while (node && strcmp(node->path, path) != 0) {
        node = node->next;
    }
    return node;
}

static void fire(struct memxen_store *store, const char *path, bool removed)
{
    for (struct memxen_watch *watch = store->watches; watch; watch = watch->next) {
        if (within(path, watch->path) || (removed && within(watch->path, path))) {
            watch->fired = true;
        }
    }
}

static bool set_node(struct memxen_store *store, const char *path, const char *value)
{
    struct memxen_node *node = find_node(store, path);
    if (!node) {
        node = calloc(1, sizeof(*node));
        if (!node || !(node->path = copy_text(path))) {
            free(node);
            return false;
        }
        node->next = store->nodes;
        store->nodes = node;
    }
    free(node->value);
    node->value = copy_text(value);
    node->generation = ++store->generation;
    fire(store, path, false);
    return node->value != NULL;
}

static void remove_nodes(struct memxen_store *store, const char *path)
{
    store->generation++;
    for (struct memxen_node *node = store->nodes; node; node = node->next) {
        if (node->value && within(node->path, path)) {
            free(node->value);
            node->value = NULL;
            node->generation = store->generation;
        }
    }
    fire(store, path, true);
}

/* ---- transactions ---- */

static bool is_open(const struct memxen_store *store, wisp_xs_tx tx)
{
    return tx >= 1 && tx <= sizeof(store->begun) / sizeof(store->begun[0]) && store->begun[tx - 1];
}

static bool note(struct memxen_store *store, wisp_xs_tx tx, enum change_kind kind, const char *path,
                 const char *value)
{
    struct memxen_change *change = calloc(1, sizeof(*change));
    if (!change) {
        return false;
    }
    change->tx = tx;
    change->kind = kind;
    change->path = copy_text(path);
    change->value = value ? copy_text(value) : NULL;
    struct memxen_change **at = &store->changes;
    while (*at) {
        at = &(*at)->next;
    }
    *at = change;
    return change->path && (change->value || !value);
}

/* What the transaction itself last made of path; false: nothing. */
static bool own_value(const struct memxen_store *store, wisp_xs_tx tx, const char *path,
                      const char **value)
{
    bool own = false;
    for (const struct memxen_change *change = store->changes; change; change = change->next) {
        if (change->tx != tx) {
            continue;
        }
        if (change->kind == CHANGE_WRITE && strcmp(change->path, path) == 0) {
            own = true;
            *value = change->value;
        } else if (change->kind == CHANGE_REMOVE && within(path, change->path)) {
            own = true;
            *value = NULL;
        }
    }
    return own;
}

const char *memxen_store_read(struct memxen_store *store, wisp_xs_tx tx, const char *path)
{
    const char *value = NULL;
    if (tx && (!is_open(store, tx) || own_value(store, tx, path, &value))) {
        return value;
    }
    if (tx && !note(store, tx, CHANGE_READ, path, NULL)) {
        return NULL;
    }
    const struct memxen_node *node = find_node(store, path);
    return node ? node->value : NULL;
}

bool memxen_store_write(struct memxen_store *store, wisp_xs_tx tx, const char *path,
                        const char *value)
{
    if (tx) {
        return is_open(store, tx) &&
               note(store, tx, value ? CHANGE_WRITE : CHANGE_REMOVE, path, value);
    }
    if (!value) {
        remove_nodes(store, path);
        return true;
    }
    return set_node(store, path, value);
}

wisp_xs_tx memxen_store_begin(struct memxen_store *store)
{
    for (wisp_xs_tx tx = 1; tx <= sizeof(store->begun) / sizeof(store->begun[0]); tx++) {
        if (!store->begun[tx - 1]) {
            store->begun[tx - 1] = store->generation;
            return tx;
        }
    }
    return 0;
}

static bool conflicts(const struct memxen_store *store, wisp_xs_tx tx)
{
    for (const struct memxen_change *change = store->changes; change; change = change->next) {
        const struct memxen_node *node = change->tx == tx ? find_node(store, change->path) : NULL;
        if (node && node->generation > store->begun[tx - 1]) {
            return true;
        }
    }
    return false;
}

static void apply(struct memxen_store *store, wisp_xs_tx tx)
{
    for (const struct memxen_change *change = store->changes; change; change = change->next) {
        if (change->tx == tx && change->kind != CHANGE_READ) {
            memxen_store_write(store, 0, change->path, change->value);
        }
    }
}

enum wisp_xs_result memxen_store_end(struct memxen_store *store, wisp_xs_tx tx, bool commit)
{
    if (!is_open(store, tx)) {
        return WISP_XS_FAILED;
    }
    enum wisp_xs_result result = WISP_XS_OK;
    if (commit && conflicts(store, tx)) {
        result = WISP_XS_AGAIN;
    } else if (commit) {
        apply(store, tx);
    }
    forget_changes(store, tx);
    store->begun[tx - 1] = 0;
    return result;
}

uint32_t memxen_store_transactions(const struct memxen_store *store)
{
    uint32_t open = 0;
    for (wisp_xs_tx tx = 1; tx <= sizeof(store->begun) / sizeof(store->begun[0]); tx++) {
        open += is_open(store, tx);
    }
    return open;
}

/* ---- watches ---- */

bool memxen_store_watch(struct memxen_store *store, enum memxen_owner owner, const char *path,
                        uint32_t token)
{
    struct memxen_watch *watch = calloc(1, sizeof(*watch));
    if (!watch || !(watch->path = copy_text(path))) {
        free(watch);
        return false;
    }
    watch->owner = owner;
    watch->token = token;
    watch->fired = true;
    watch->next = store->watches;
    store->watches = watch;
    return true;
}

void memxen_store_unwatch(struct memxen_store *store, enum memxen_owner owner, uint32_t token)
{
    for (struct memxen_watch **at = &store->watches; *at; at = &(*at)->next) {
        struct memxen_watch *watch = *at;
        if (watch->owner == owner && watch->token == token) {
            *at = watch->next;
            free(watch->path);
            free(watch);
            return;
        }
    }
}

bool memxen_store_changed(struct memxen_store *store, enum memxen_owner owner, uint32_t token)
{
    bool changed = false;
    for (struct memxen_watch *watch = store->watches; watch; watch = watch->next) {
        if (watch->owner == owner && watch->token == token) {
            changed |= watch->fired;
            watch->fired = false;
        }
    }
    return changed;
}

void memxen_store_fire_all(struct memxen_store *store)
{
    for (struct memxen_watch *watch = store->watches; watch; watch = watch->next) {
        watch->fired = true;
    }
}

uint32_t memxen_store_watches(const struct memxen_store *store, enum memxen_owner owner)
{
    uint32_t n = 0;
    for (const struct memxen_watch *watch = store->watches; watch; watch = watch->next) {
        n += watch->owner == owner;
    }
    return n;
}
