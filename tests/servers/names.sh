#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Names, with dnsmasq and unbound as name servers: fetch, configured by DHCP alone, gets a page by name; resolve finds
# addresses and names, by aliases of aliases and search lists, keeps a "no", asks by TCP for answers too long for UDP,
# and the next server when one is not there.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/servers/world.sh
needs dnsmasq unbound python3
for app in fetch resolve; do
    [ -x "$build/apps/$app" ] || t_skip_all "$app is not built"
done
dnsmasq=$(copy_of dnsmasq)
unbound=$(copy_of unbound)
ip addr add 10.0.0.4/24 dev br0
ip addr add 10.0.0.5/24 dev br0

# "long" has 60 addresses, too many for 512 octets; wherever fetch goes first, the page is there.
for i in $(seq 101 160); do
    ip addr add "10.0.0.$i/24" dev br0
    long+="    local-data: \"long.example.net. 60 IN A 10.0.0.$i\""$'\n'
    echo "10.0.0.$i long.example.net" >> "$scratch/hosts"
done
mkdir "$scratch/web"
echo "found by name" > "$scratch/web/index.html"
background "$scratch/web.log" python3 -m http.server --directory "$scratch/web" --bind 0.0.0.0 80
background "$scratch/web2.log" python3 -m http.server --directory "$scratch/web" --bind 10.0.0.4 8000
background "$scratch/dnsmasq.log" "$dnsmasq" --no-daemon --conf-file=/dev/null --no-resolv --no-hosts \
    --listen-address=10.0.0.1 --bind-interfaces --no-ping --dhcp-leasefile="$scratch/leases" \
    --dhcp-range=10.0.0.50,10.0.0.99,255.255.255.0,120 --domain=example.net --local=/example.net/ \
    --dhcp-option=option:dns-server,10.0.0.1 --host-record=page.example.net,10.0.0.1 \
    --cname=alias.example.net,page.example.net --cname=second.example.net,alias.example.net \
    --addn-hosts="$scratch/hosts" --bogus-priv --server=/away.example/10.0.0.4
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
    local-data: "half.example.net. 60 IN A 10.0.0.210"
    local-data: "half.example.net. 60 IN A 10.0.0.1"
    local-data: "both.example.net. 60 IN A 10.0.0.1"
    local-data: "both.example.net. 60 IN A 10.0.0.4"
    local-data: "example.net. 60 IN SOA ns.example.net. host.example.net. 1 3600 600 86400 60"
    local-data: "alias.example.net. 60 IN CNAME page.example.net."
    local-data: "second.example.net. 60 IN CNAME alias.example.net."
    local-zone: "away.example." static
    local-data: "away.example. 60 IN SOA ns.away.example. host.away.example. 1 3600 600 86400 60"
    local-data: "page.away.example. 60 IN A 10.0.0.9"
    local-data: "9.0.0.10.in-addr.arpa. 60 IN PTR page.away.example."
    local-data-ptr: "10.0.0.1 page.example.net"
$long
remote-control:
    control-enable: no
CONF
background "$scratch/unbound.log" "$unbound" -d -c "$scratch/unbound.conf"
all_listen() {
    (: < /dev/tcp/10.0.0.1/80 && : < /dev/tcp/10.0.0.4/8000 && : < /dev/tcp/10.0.0.1/53 && : < /dev/tcp/10.0.0.4/53) && listens udp 67
}
until_ok all_listen

fetch() { # url, parameters
    local url=$1
    shift
    timeout 100 "$build/apps/fetch" --tap=wisp0 --ipv4=dhcp --pcap="$scratch/fetch.pcap" "$@" "$url" \
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
for _ in 1 2 3 4; do # the order of the addresses is the server's
    t_check "of two addresses one has no host: the page comes from the other" \
        gets http://half.example.net/ --nameserver=10.0.0.4 --timeout=20
    t_check "of two addresses one has no server: the page comes from the other" \
        gets http://both.example.net:8000/ --nameserver=10.0.0.4 --timeout=20
done
t_check "dnsmasq: no such name" fails 'no such name' http://nobody.example.net/
t_check "unbound: a page by its name" gets http://page.example.net/ --nameserver=10.0.0.4
t_check "unbound: by an alias" gets http://alias.example.net/ --nameserver=10.0.0.4
t_check "unbound: no such name" fails 'no such name' http://nobody.example.net/ --nameserver=10.0.0.4
t_check "unbound: an answer too long for UDP" gets http://long.example.net/ --nameserver=10.0.0.4
t_check "that answer came by TCP" sh -c \
    "tshark -n -r '$scratch/fetch.pcap' -Y 'dns.flags.response == 1 && tcp.srcport == 53' 2> /dev/null | grep -q ."

resolve() { # parameters and operands
    timeout 100 "$build/apps/resolve" --tap=wisp0 --ipv4=dhcp --pcap="$scratch/resolve.pcap" "$@" \
        > "$scratch/resolve.out" 2> "$scratch/resolve.log"
}
# The status, and what is printed to the letter (less the time of log lines).
resolves() { # status, output, errors, parameters and operands
    local want=$1 status
    printf '%s' "$2" > "$scratch/want.out"
    printf '%s' "$3" > "$scratch/want.log"
    shift 3
    resolve "$@"
    status=$?
    sed -nE 's/^.*resolve error: //p' "$scratch/resolve.log" > "$scratch/errors"
    [ $status = "$want" ] && diff "$scratch/want.out" "$scratch/resolve.out" && diff "$scratch/want.log" "$scratch/errors" &&
        return 0
    echo "status $status" && cat "$scratch/resolve.log"
    return 1
}
# What was asked in the last run, a line each: kind and name, the server's address, and its port if by TCP. What was not
# answered within the resolver's patience of a second was asked again, rightly, and counts once: a server may have been
# kept waiting by the machine.
questions() {
    tshark -n -r "$scratch/resolve.pcap" -Y dns -T fields -e frame.time_relative -e dns.flags.response -e dns.qry.type \
        -e dns.qry.name -e ip.src -e ip.dst -e ip.proto 2> /dev/null | awk -F '\t' '
            $2 ~ /1|True/ { delete asked_at[$3, $4, $5, $7]; next }
            !(($3, $4, $6, $7) in asked_at) || $1 - asked_at[$3, $4, $6, $7] < 1 { print $3, $4, $6 ($7 == 6 ? " 53" : "") }
            { asked_at[$3, $4, $6, $7] = $1 }' > "$scratch/questions"
    [ -s "$scratch/questions" ]
}
asked() { # how often, extended expression for a whole line
    [ "$(grep -cxE "$2" "$scratch/questions")" = "$1" ] || { cat "$scratch/questions" && return 1; }
}
all='page.example.net 10.0.0.1
second.example.net 10.0.0.1
10.0.0.1 page.example.net
page.away.example 10.0.0.9
'
missing='nobody.away.example: no such name
nobody.away.example: no such name
10.0.0.77: no such name
'
for server in "dnsmasq" "unbound --nameserver=10.0.0.4"; do
    read -r name given <<< "$server"
    # shellcheck disable=SC2086
    t_check "$name: addresses, an alias of an alias, a name by its address, and what there is not; status 1" \
        resolves 1 "$all" "$missing" $given page.example.net second.example.net 10.0.0.1 page.away.example \
        nobody.away.example nobody.away.example 10.0.0.77
    questions
    t_check "$name: a name that does not exist was asked for once, and the \"no\" kept" asked 1 '1 nobody\.away\.example .*'
    t_check "$name: an address was asked for as RFC 1035 3.5 has it" asked 1 '12 1\.0\.0\.10\.in-addr\.arpa .*'
    # shellcheck disable=SC2086
    t_check "$name: an answer too long for UDP, then another question, status 0" sh -c "'$build/apps/resolve' --tap=wisp0 \
        --ipv4=dhcp --pcap='$scratch/resolve.pcap' $given long.example.net page.example.net > '$scratch/long.out' &&
        [ \$(grep -cE '^long\.example\.net 10\.0\.0\.1[0-6][0-9]\$' '$scratch/long.out') -eq 8 ] &&
        tail -1 '$scratch/long.out' | grep -qx 'page.example.net 10.0.0.1'"
    questions
    t_check "$name: asked by UDP, then by TCP" sh -c "[ '$(grep -c '^1 long.*53$' "$scratch/questions")' = 1 ] &&
        head -1 '$scratch/questions' | grep -qxE '1 long.example.net 10.0.0.[14]'"
done
t_check "resolve: one label, the lease's domain behind it" resolves 0 $'page 10.0.0.1\n' '' page
t_check "the first of two servers is not there: the second answers" resolves 0 $'page.example.net 10.0.0.1\n' '' \
    --nameserver=10.0.0.200,10.0.0.4 page.example.net
t_check "the first has no name server and says so: the second answers" resolves 0 $'page.example.net 10.0.0.1\n' '' \
    --nameserver=10.0.0.5,10.0.0.4 page.example.net
questions
t_check "the first was asked once, and the second" \
    asked 2 '1 page\.example\.net 10\.0\.0\.[45]'
cp "$scratch/resolve.pcap" "$scratch/fetch.pcap"
t_check "tshark finds nothing wrong in our questions" sh -c \
    "! tshark -n -r '$scratch/fetch.pcap' -Y 'dns.flags.response == 0 && (_ws.malformed || _ws.expert.severity >= 6291456)' 2> /dev/null | grep -q ."
t_check "a name server that is not there" fails 'no name server answers' http://page.example.net/ --nameserver=10.0.0.200
kill "${pids[2]}" # dnsmasq: there is no DHCP server any more
wait "${pids[2]}" 2> /dev/null
late() { # command...
    local before=$SECONDS
    "$@" && [ $((SECONDS - before)) -le 25 ] # and without a limit it never ends
}
t_check "fetch: no DHCP server: an error after --timeout" \
    late fails 'no address in time' http://page.example.net/ --timeout=2
t_check "resolve: no DHCP server: an error after --timeout" late eval \
    "! resolve --timeout=2 page.example.net && grep -q 'no address in time' '$scratch/resolve.log'"
t_done
