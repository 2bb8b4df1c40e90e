#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Names: fetch, configured by DHCP alone, gets a page by name, with dnsmasq and unbound as resolvers: aliases,
# search lists, names that do not exist, answers too long for UDP, a server that is not there.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/servers/world.sh
needs dnsmasq unbound python3
[ -x "$build/apps/fetch" ] || t_skip_all "fetch is not built"
dnsmasq=$(copy_of dnsmasq)
unbound=$(copy_of unbound)
ip addr add 10.0.0.4/24 dev br0

# "long" has 60 addresses, too many for 512 octets; wherever fetch goes first, the page is there.
for i in $(seq 101 160); do
    ip addr add "10.0.0.$i/24" dev br0
    long+="    local-data: \"long.example.net. 60 IN A 10.0.0.$i\""$'\n'
done
mkdir "$scratch/web"
echo "found by name" > "$scratch/web/index.html"
background "$scratch/web.log" python3 -m http.server --directory "$scratch/web" --bind 0.0.0.0 80
background "$scratch/dnsmasq.log" "$dnsmasq" --no-daemon --conf-file=/dev/null --no-resolv --no-hosts \
    --listen-address=10.0.0.1 --bind-interfaces --no-ping --dhcp-leasefile="$scratch/leases" \
    --dhcp-range=10.0.0.50,10.0.0.99,255.255.255.0,120 --domain=example.net --local=/example.net/ \
    --dhcp-option=option:dns-server,10.0.0.1 --host-record=page.example.net,10.0.0.1 \
    --cname=alias.example.net,page.example.net
cat > "$scratch/unbound.conf" << CONF
server:
    interface: 10.0.0.4
    do-daemonize: no
    chroot: ""
    username: ""
    directory: "$scratch"
    pidfile: "$scratch/unbound.pid"
    use-syslog: no
    access-control: 10.0.0.0/24 allow
    local-zone: "example.net." static
    local-data: "page.example.net. 60 IN A 10.0.0.1"
    local-data: "alias.example.net. 60 IN CNAME page.example.net."
$long
remote-control:
    control-enable: no
CONF
background "$scratch/unbound.log" "$unbound" -d -c "$scratch/unbound.conf"
sleep 1

fetch() { # url, parameters
    local url=$1
    shift
    timeout 40 "$build/apps/fetch" --tap=wisp0 --ipv4=dhcp --pcap="$scratch/fetch.pcap" "$@" "$url" \
        > "$scratch/fetch.out" 2> "$scratch/fetch.log"
}
gets() {
    fetch "$@" && grep -qx 'found by name' "$scratch/fetch.out" && return 0
    cat "$scratch/fetch.log" "$scratch/unbound.log" >&2
    return 1
}
fails() { # text, url, parameters
    local text=$1
    shift
    fetch "$@" && return 1
    grep -q "$text" "$scratch/fetch.log" && return 0
    cat "$scratch/fetch.log" >&2
    return 1
}

t_check "dnsmasq: a page by its name" gets http://page.example.net/
t_check "dnsmasq: by one label, the lease's domain behind it" gets http://page/
t_check "dnsmasq: by an alias" gets http://alias.example.net/
t_check "dnsmasq: no such name" fails 'no such name' http://nobody.example.net/
t_check "unbound: a page by its name" gets http://page.example.net/ --nameserver=10.0.0.4
t_check "unbound: by an alias" gets http://alias.example.net/ --nameserver=10.0.0.4
t_check "unbound: no such name" fails 'no such name' http://nobody.example.net/ --nameserver=10.0.0.4
t_check "unbound: an answer too long for UDP" gets http://long.example.net/ --nameserver=10.0.0.4
t_check "that answer came by TCP" sh -c \
    "tshark -n -r '$scratch/fetch.pcap' -Y 'dns.flags.response == 1 && tcp.srcport == 53' 2> /dev/null | grep -q ."
t_check "tshark finds nothing wrong in our questions" sh -c \
    "! tshark -n -r '$scratch/fetch.pcap' -Y 'dns.flags.response == 0 && (_ws.malformed || _ws.expert.severity >= 6291456)' 2> /dev/null | grep -q ."
t_check "a name server that is not there" fails 'no name server answers' http://page.example.net/ --nameserver=10.0.0.200
t_done
