/* SPDX-License-Identifier: ISC */
/*
 * Where the address comes from (see net_address.h). With parameters fixed at build time the questions here
 * have constant answers, so an image with an address of its own holds nothing of DHCP.
 */
#include "net_address.h"
#include "text.h"
#include <wisp/dhcp.h>

/* An address alone, or with mask and gateway, is the host's; else the program ends, saying whose it is. */
static void use_address(struct wisp_net *net, const struct wisp_net_address *address,
                        const char *whose)
{
    char why[96];
    struct wisp_addr any = wisp_addr_ip4(wisp_ip4(0, 0, 0, 0));
    struct wisp_addr addr = wisp_addr_ip4(address->ip);
    struct wisp_addr gateway = wisp_addr_ip4(address->gateway);
    if (wisp_stack_address_add(net->stack, &addr, address->prefix, net->now) != WISP_OK) {
        wisp_platform_format(why, sizeof(why), "%s is not the address of a host", whose);
        wisp_platform_exit(2, why);
    }
    net->gateway = address->gateway;
    if (address->has_gateway && wisp_stack_route_add(net->stack, &any, 0, &gateway) != WISP_OK) {
        wisp_platform_format(why, sizeof(why), "%s-gateway is not the address of a host", whose);
        wisp_platform_exit(2, why);
    }
}

static void tell(const struct wisp_net_address *address, const char *source,
                 enum wisp_log_level level)
{
    char ip[WISP_ADDR_TEXT_MAX];
    char router[WISP_ADDR_TEXT_MAX] = "none";
    struct wisp_addr addr = wisp_addr_ip4(address->ip);
    struct wisp_addr gateway = wisp_addr_ip4(address->gateway);
    wisp_addr_text(&addr, ip, sizeof(ip));
    if (address->has_gateway) {
        wisp_addr_text(&gateway, router, sizeof(router));
    }
    wisp_platform_log(level, "net", "%s/%u (%s), gateway %s", ip, address->prefix, source, router);
}

static bool read_gateway(struct wisp_ip4 *gateway)
{
    const char *text = wisp_platform_param("ipv4-gateway");
    if (text && !wisp_ip4_parse(text, wisp_text_length(text), gateway)) {
        wisp_platform_exit(2, "--ipv4-gateway is an address like 10.0.0.1");
    }
    return text != NULL;
}

uint32_t wisp_net_nameservers(struct wisp_ip4 server[WISP_NET_NAMESERVERS])
{
    const char *text = wisp_platform_param("nameserver");
    uint32_t count = 0;
    while (text) {
        size_t n = 0;
        while (text[n] && text[n] != ',') {
            n++;
        }
        if (count == WISP_NET_NAMESERVERS || !wisp_ip4_parse(text, n, &server[count++])) {
            wisp_platform_exit(
                2, "--nameserver is one address like 10.0.0.1, or up to four with commas");
        }
        text = text[n] ? text + n + 1 : NULL;
    }
    return count;
}

static void check_text(const char *name)
{
    const char *text = wisp_platform_param(name);
    if (text && (!text[0] || wisp_text_length(text) >= WISP_DHCP_TEXT_MAX)) {
        char why[64];
        wisp_platform_format(why, sizeof(why), "--%s is a text of 1 to %u characters", name,
                             WISP_DHCP_TEXT_MAX - 1);
        wisp_platform_exit(2, why);
    }
}

/* What is read later, or not at all, is refused now if it is wrong. */
static void check_others(void)
{
    struct wisp_ip4 unused[WISP_NET_NAMESERVERS];
    (void)wisp_net_nameservers(unused);
    if (wisp_platform_param_source("dhcp-floor") == WISP_PARAM_GIVEN) {
        (void)wisp_net_number("dhcp-floor", 1, 3600);
    }
    check_text("dhcp-id");
    check_text("dhcp-name");
}

static void use_parameters(struct wisp_net *net, const char *text, const char *source,
                           enum wisp_log_level level)
{
    struct wisp_net_address address;
    if (!wisp_ip4_parse_prefix(text, wisp_text_length(text), &address.ip, &address.prefix)) {
        wisp_platform_exit(
            2, "--ipv4 is an address and its network's bits, like 10.0.0.2/24, or dhcp");
    }
    address.has_gateway = read_gateway(&address.gateway);
    use_address(net, &address, "--ipv4");
    wisp_net_banner(net, level);
    tell(&address, source, level);
}

static void use_platform(struct wisp_net *net, const char *text, enum wisp_log_level level)
{
    struct wisp_net_address address;
    if (!wisp_net_address_parse(text, &address)) {
        char why[300];
        wisp_platform_format(why, sizeof(why),
                             "xenstore's ip should be ADDR MASK [GATEWAY], and is: %s", text);
        wisp_platform_exit(1, why);
    }
    address.has_gateway |= read_gateway(&address.gateway);
    use_address(net, &address, "xenstore's ip");
    wisp_net_banner(net, level);
    tell(&address, "xenstore", level);
}

static void use_network(struct wisp_net *net, bool asked_for, enum wisp_log_level level)
{
    (void)read_gateway(&net->gateway);
    wisp_net_dhcp_open(net, NULL);
    wisp_net_banner(net, level);
    wisp_platform_log(level, "net", "%s: asking by DHCP",
                      asked_for ? "--ipv4=dhcp" : "no address given");
}

/* Letter by letter: of a parameter fixed at build time the compiler then knows the answer. */
static bool is_dhcp(const char *given)
{
    return given[0] == 'd' && given[1] == 'h' && given[2] == 'c' && given[3] == 'p' && !given[4];
}

void wisp_net_configure(struct wisp_net *net, enum wisp_log_level level)
{
    const char *given = wisp_platform_param("ipv4");
    const char *told = wisp_platform_netdev_config(0);
    check_others();
    if (given && !is_dhcp(given)) {
        bool fixed = wisp_platform_param_source("ipv4") == WISP_PARAM_FIXED;
        use_parameters(net, given, fixed ? "built in" : "command line", level);
    } else if (told && !given) {
        use_platform(net, told, level);
    } else {
        use_network(net, given != NULL, level);
    }
}
