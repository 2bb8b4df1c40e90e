/* SPDX-License-Identifier: ISC */
/* Fetches one resource over HTTP and prints it, or its checksum as cksum(1) prints it. */
#include "net.h"
#include "net_names.h"
#include "response.h"
#include "text.h"

#define TARGET_MOST  1024u
#define REQUEST_MOST (TARGET_MOST + 512u) /* with a host of 253 characters and its port */

static const struct wisp_param params[] = {
    {"sum", NULL, NULL, "print checksum and length as cksum does, instead of the bytes"},
    {"timeout", "30", "SECONDS", "how long to wait for an address, and for each of the host's"},
    {NULL, NULL, NULL, NULL},
};

const struct wisp_app wisp_app = {.name = "fetch",
                                  .summary = "Fetches a page over HTTP and prints it.",
                                  .params = params,
                                  .operands = "http://HOST[:PORT]/PATH"};

struct fetch {
    struct wisp_net net;
    struct wisp_tcp *tcp;
    struct wisp_tcp_conn *conn;
    struct wisp_addr address[WISP_DNS_ADDRESSES]; /* of the host */
    uint32_t addresses, tried;
    uint16_t port;
    const char *host; /* as in the URL, with the port */
    size_t host_length;
    size_t name_length; /* without it */
    const char *path;
    char request[REQUEST_MOST];
    uint32_t request_length;
    bool sum_only;
    bool connected;
    bool over;
    enum wisp_err reason;
    wisp_time timeout, give_up_at;
    uint32_t crc;
    uint64_t length;
    struct http_response_reader reader;
};

/* The CRC of POSIX cksum, bit by bit from the top. */
static uint32_t crc_byte(uint32_t crc, uint8_t byte)
{
    crc ^= (uint32_t)byte << 24;
    for (int i = 0; i < 8; i++) {
        crc = crc << 1 ^ (crc & 0x80000000u ? 0x04c11db7u : 0);
    }
    return crc;
}

static void on_body(void *context, const uint8_t *bytes, size_t length)
{
    struct fetch *fetch = context;
    fetch->length += length;
    if (!fetch->sum_only) {
        wisp_platform_output(bytes, length);
        return;
    }
    for (size_t i = 0; i < length; i++) {
        fetch->crc = crc_byte(fetch->crc, bytes[i]);
    }
}

static void usage(void)
{
    wisp_platform_exit(2,
                       "one URL is needed, like http://10.0.0.1/ or http://10.0.0.1:8080/a.html");
}

static size_t length_until(const char *text, char a, char b)
{
    size_t n = 0;
    while (text[n] && text[n] != a && text[n] != b) {
        n++;
    }
    return n;
}

static void read_url(struct fetch *fetch)
{
    static const char scheme[] = "http://";
    const char *url = wisp_platform_operand(0);
    uint64_t port = 80;
    if (!url || wisp_platform_operand(1) || wisp_text_length(url) < sizeof(scheme) ||
        !wisp_text_equal_caseless(url, sizeof(scheme) - 1, scheme)) {
        usage();
    }
    fetch->host = url + sizeof(scheme) - 1;
    fetch->host_length = length_until(fetch->host, '/', '/');
    fetch->path = fetch->host + fetch->host_length;
    size_t name = length_until(fetch->host, '/', ':');
    bool good = name > 0;
    if (wisp_text_length(fetch->path) >= TARGET_MOST) {
        wisp_platform_exit(2, "the URL's path is longer than 1023 characters");
    }
    if (name < fetch->host_length) {
        good =
            good && fetch->host_length - name <= sizeof("65535") &&
            wisp_text_number(fetch->host + name + 1, fetch->host_length - name - 1, 65535, &port) &&
            port > 0;
    }
    if (!good) {
        usage();
    }
    fetch->name_length = name;
    fetch->port = (uint16_t)port;
}

/* Written before the network is touched: what does not fit in whole is refused. */
static void write_request(struct fetch *fetch)
{
    struct wisp_text text = {fetch->request, sizeof(fetch->request), 0};
    wisp_text_add(&text, "GET ");
    wisp_text_add(&text, fetch->path[0] ? fetch->path : "/");
    wisp_text_add(&text, " HTTP/1.1\r\nHost: ");
    wisp_text_add_bytes(&text, fetch->host, fetch->host_length);
    wisp_text_add(&text, "\r\nUser-Agent: wisp-fetch\r\nConnection: close\r\n\r\n");
    if (text.used > text.size) {
        wisp_platform_exit(2, "the URL is too long");
    }
    fetch->request_length = (uint32_t)text.used;
}

static void read_response(struct fetch *fetch)
{
    struct wisp_view view;
    while (wisp_tcp_peek(fetch->conn, &view, 1) == 1) {
        http_response_input(&fetch->reader, wisp_view_bytes(&view), view.length);
        wisp_tcp_consume(fetch->conn, view.length);
    }
}

/* To the next address of the host that lets itself be asked; without one it is over, for the last one's reason. */
static void connect_next(struct fetch *fetch, enum wisp_err reason)
{
    if (fetch->conn) {
        wisp_tcp_release(fetch->conn);
        fetch->conn = NULL;
    }
    while (!fetch->conn && fetch->tried < fetch->addresses) {
        reason = wisp_tcp_connect(fetch->tcp, NULL, 0, &fetch->address[fetch->tried++], fetch->port,
                                  fetch->net.now, &fetch->conn);
        fetch->conn = reason ? NULL : fetch->conn;
    }
    fetch->give_up_at = fetch->net.now + fetch->timeout;
    fetch->reason = reason;
    fetch->over = !fetch->conn;
}

static void on_event(struct fetch *fetch, const struct wisp_tcp_event *event)
{
    fetch->give_up_at = fetch->net.now + fetch->timeout;
    if (event->what & WISP_TCP_CONNECTED) {
        fetch->connected = true;
        /* a new connection has room */
        (void)wisp_tcp_write(fetch->conn, fetch->request, fetch->request_length);
    }
    if (!fetch->connected && event->what & WISP_TCP_CLOSED) {
        connect_next(fetch, event->reason);
        return;
    }
    read_response(fetch);
    if (event->what & WISP_TCP_END) {
        http_response_input(&fetch->reader, NULL, 0);
    }
    if (event->what & WISP_TCP_CLOSED) {
        fetch->reason = event->reason;
    }
    fetch->over = fetch->reader.complete || fetch->reader.bad ||
                  (event->what & (WISP_TCP_END | WISP_TCP_CLOSED)) != 0;
}

static void on_silence(struct fetch *fetch)
{
    if (fetch->connected) {
        fetch->reason = WISP_ERR_TIMEOUT;
        fetch->over = true;
    } else {
        connect_next(fetch, WISP_ERR_TIMEOUT);
    }
}

static bool events(struct fetch *fetch)
{
    struct wisp_tcp_event event;
    bool acted = false;
    while (!fetch->over && wisp_tcp_next_event(fetch->tcp, &event)) {
        if (event.conn != fetch->conn) {
            continue; /* the resolver's, ending */
        }
        on_event(fetch, &event);
        acted = true;
    }
    if (!fetch->over && fetch->net.now >= fetch->give_up_at) {
        on_silence(fetch);
        acted = true;
    }
    return acted;
}

static const char *failure(const struct fetch *fetch)
{
    static char why[64];
    if (fetch->reader.bad) {
        return "the answer is not HTTP";
    }
    if (!fetch->reader.complete) {
        return fetch->reason ? wisp_err_text(fetch->reason) : "the answer ends too early";
    }
    wisp_platform_format(why, sizeof(why), "the server answers with status %u",
                         fetch->reader.status);
    return fetch->reader.status >= 400 ? why : NULL;
}

static void find_host(struct fetch *fetch)
{
    const char *why;
    wisp_net_await(&fetch->net, fetch->timeout);
    fetch->addresses = wisp_net_find(&fetch->net, fetch->host, fetch->name_length, fetch->tcp,
                                     &wisp_dns_by_tcp, fetch->address, &why);
    if (fetch->addresses == 0) {
        char line[320];
        struct wisp_text text = {line, sizeof(line) - 1, 0};
        wisp_text_add_bytes(&text, fetch->host, fetch->name_length);
        wisp_text_add(&text, ": ");
        wisp_text_add(&text, why);
        line[text.used < text.size ? text.used : text.size] = 0;
        wisp_platform_exit(1, line);
    }
}

static void print_sum(struct fetch *fetch)
{
    char line[64];
    for (uint64_t n = fetch->length; n > 0; n >>= 8) {
        fetch->crc = crc_byte(fetch->crc, (uint8_t)n);
    }
    wisp_platform_format(line, sizeof(line), "%u %llu\n", ~fetch->crc,
                         (unsigned long long)fetch->length);
    wisp_platform_print(line);
}

int wisp_app_main(void)
{
    static struct fetch fetch;
    fetch.sum_only = wisp_platform_param("sum") != NULL;
    fetch.timeout = WISP_SEC(wisp_net_number("timeout", 1, 86400));
    read_url(&fetch);
    write_request(&fetch);
    http_response_init(&fetch.reader, on_body, &fetch);
    wisp_net_open(&fetch.net,
                  &(struct wisp_net_config){.reassembly = &wisp_ipv4_reassembly, .quiet = true});
    fetch.tcp = wisp_net_tcp(&fetch.net, NULL);
    find_host(&fetch);
    connect_next(&fetch, WISP_OK);
    bool acted = true;
    while (!fetch.over && wisp_net_step(&fetch.net, acted ? 0 : fetch.give_up_at)) {
        acted = events(&fetch);
    }
    const char *why = failure(&fetch);
    if (!why && fetch.sum_only) {
        print_sum(&fetch);
    }
    if (fetch.conn) {
        wisp_tcp_release(fetch.conn);
    }
    wisp_net_flush(&fetch.net);
    wisp_tcp_fini(fetch.tcp);
    wisp_net_close(&fetch.net);
    if (why) {
        wisp_platform_log(WISP_LOG_ERROR, "fetch", "%s", why);
    }
    return why ? 1 : 0;
}
