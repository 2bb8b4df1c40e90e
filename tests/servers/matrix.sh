#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Each of dnsmasq, ISC dhcpd, Kea and udhcpd in each of: lease, renewal and classless routes; a foreign address
# refused; a /32 with its gateway beyond; DECLINE when another host has the address; rebinding when the first server
# is gone and another one answers; the end of a lease. (dhcpd alone: a lease with absurd values; udhcpd alone: leases
# of no time at all.) All side by side,
# each in a namespace of its own: dnsmasq gives no lease below two minutes, so that is how long it takes. One alone:
# matrix.sh job SERVER SCENARIO.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
scenarios="expiry life refusal cloud decline rebind odd useless"

if [ "${1-}" != job ]; then
    [ "$(id -u)" -eq 0 ] || t_skip_all "DHCP servers need a network namespace and root"
    results=$(mktemp -d "${TMPDIR:-/tmp}/wisp-matrix.XXXXXX")
    trap 'rm -rf "$results"' EXIT
    for scenario in $scenarios; do
        for server in dnsmasq dhcpd kea-dhcp4 udhcpd; do
            case $scenario/$server in odd/dhcpd | useless/udhcpd) ;; odd/* | useless/*) continue ;; esac
            "$0" job $server $scenario > "$results/$server-$scenario" 2> "$results/$server-$scenario.err" &
        done
        sleep 1
    done
    wait
    for file in "$results"/*-*; do
        case $file in *.err) continue ;; esac
        job=$(basename "$file")
        grep -q '^not ok' "$file" && sed "s/^/$job: /" "$file.err" >&2
        grep -qE '^1\.\.' "$file" || t_not_ok "$job: runs to its end" "$(tail -3 "$file.err" | tr '\n' ' ')"
        while IFS= read -r line; do
            case $line in
                "ok "*) t_ok "${line#ok * - }" ;;
                "not ok "*) t_not_ok "${line#not ok * - }" "$job" ;;
                "1..0 # SKIP "*) t_skip "$job" "${line#1..0 # SKIP }" ;;
            esac
        done < "$file"
    done
    t_done
fi

. tests/servers/world.sh
server=$2
scenario=$3
name=${server%-dhcp4}
needs "$server" dnsmasq dhcpd
export KEA_LOCKFILE_DIR=none

# Starts $1 on interface $2 with the pool $3..$4, lease and T1 and T2 in seconds $5 $6 $7, mask $8, router $9; with
# a tenth argument classless routes, too. Sets server_pid.
serve() {
    local kind=$1 interface=$2 first=$3 last=$4 lease=$5 t1=$6 t2=$7 mask=$8 router=$9 routes=${10-}
    local conf=$scratch/$kind.$interface.conf leases=$scratch/$kind.$interface.leases program
    program=$(copy_of "$kind")
    : > "$leases"
    "configure_${kind%-dhcp4}"
    background "$scratch/$kind.$interface.log" ${inside[@]+"${inside[@]}"} env "KEA_PIDFILE_DIR=$scratch" "${command[@]}"
    server_pid=$!
    # For dhcpd and Kea this is the socket beside the raw one, opened after it.
    until_ok listens udp 67
    case $kind in kea*) until_ok grep -q DHCP4_STARTED "$scratch/$kind.$interface.log" ;; esac
}

configure_dnsmasq() {
    command=("$program" --no-daemon --port=0 --conf-file=/dev/null "--interface=$interface" --bind-dynamic
        --no-ping --dhcp-authoritative "--dhcp-leasefile=$leases" --log-dhcp
        "--dhcp-range=$first,$last,255.255.255.0,$lease" "--dhcp-option=option:T1,$t1" "--dhcp-option=option:T2,$t2"
        "--dhcp-option=option:netmask,$mask" "--dhcp-option=option:router,$router"
        ${routes:+"--dhcp-option=option:classless-static-route,0.0.0.0/0,10.0.0.1,10.20.0.0/16,10.0.0.1"})
}

configure_dhcpd() {
    cat > "$conf" << CONF
authoritative;
default-lease-time $lease;
max-lease-time $lease;
min-lease-time $lease;
option dhcp-renewal-time $t1;
option dhcp-rebinding-time $t2;
option rfc3442-routes code 121 = array of unsigned integer 8;
ping-check false;
subnet 10.0.0.0 netmask 255.255.255.0 {
    range $first $last;
    option subnet-mask $mask;
    option routers $router;
    ${extra-}
    ${routes:+option rfc3442-routes 0, 10,0,0,1, 16, 10,20, 10,0,0,1;}
}
CONF
    command=("$program" -4 -f -d -cf "$conf" -lf "$leases" --no-pid "$interface")
}

configure_kea() {
    # Its mask is always the subnet's, so for a /32 the subnet is one; the interface says which clients it is for.
    local classless= subnet=10.0.0.0/24 longest
    longest=$(seq -s ', ' -f '10.0.0.%g' 1 63)
    [ "$mask" != 255.255.255.255 ] || { subnet=$first/32; last=$first; }
    [ -z "$routes" ] || classless='{ "name": "routes", "data": "000a000001100a140a000001", "csv-format": false },'
    cat > "$conf" << CONF
{ "Dhcp4": {
    "interfaces-config": { "interfaces": [ "$interface" ] },
    "lease-database": { "type": "memfile", "persist": false },
    "authoritative": true, "valid-lifetime": $lease, "renew-timer": $t1, "rebind-timer": $t2,
    "option-def": [ { "name": "routes", "code": 121, "type": "binary", "space": "dhcp4" } ],
    "subnet4": [ { "subnet": "$subnet", "interface": "$interface", "pools": [ { "pool": "$first - $last" } ],
        "option-data": [
            $classless
            { "name": "ntp-servers", "data": "$longest" },
            { "name": "domain-search", "data": "eng.example.org, example.org" },
            { "name": "subnet-mask", "data": "$mask" },
            { "name": "routers", "data": "$router" } ] } ],
    "loggers": [ { "name": "kea-dhcp4", "severity": "INFO", "output_options": [ { "output": "stdout" } ] } ]
} }
CONF
    command=("$program" -c "$conf")
}

configure_udhcpd() {
    cat > "$conf" << CONF
start $first
end $last
interface $interface
lease_file $leases
pidfile $scratch/udhcpd.$interface.pid
option subnet $mask
option router $router
option lease $lease
min_lease 5
option 58 $(printf %08x "$t1")
option 59 $(printf %08x "$t2")
${routes:+option 121 000a000001100a140a000001}
CONF
    command=("$program" -f "$conf")
}

# Another host on the bridge, in a namespace of its own that `inside` leads to.
other_host() { # address
    ip netns add "other-$$"
    ip link add veth0 type veth peer name veth1
    ip link set veth0 master br0 up
    ip link set veth1 netns "other-$$"
    ip -n "other-$$" link set lo up
    ip -n "other-$$" addr add "$1/24" dev veth1
    ip -n "other-$$" link set veth1 up
    inside=(ip netns exec "other-$$")
    trap 'finish; ip netns del "other-$$"' EXIT
    until_ok "${inside[@]}" ping -n -q -c 1 -W 1 10.0.0.1
}

captured() { # client, display filter
    tshark -n -r "$scratch/$1.pcap" -Y "$2" 2> /dev/null | grep -q .
}

# Milliseconds from DECLINE to the next DISCOVER.
pause_ms() { # client
    tshark -n -r "$scratch/$1.pcap" -Y 'dhcp.option.dhcp == 1 || dhcp.option.dhcp == 4' -T fields -e frame.time_relative \
        -e dhcp.option.dhcp 2> /dev/null |
        awk '$2 == 4 { from = $1 } $2 == 1 && from { printf "%d\n", ($1 - from) * 1000 + 0.0005; exit }'
}

inside=()
shortest=10 # seconds of lease a server gives
[ "$server" != dnsmasq ] || shortest=120

case $scenario in
life)
    serve "$server" br0 10.0.0.100 10.0.0.101 120 3 60 255.255.255.0 10.0.0.250 routes
    client life dhcp-lease
    t_check "$name: a lease with its times, classless routes in place of the router" said life \
        'leased 10\.0\.0\.10[01]/24 server=10\.0\.0\.1 lease=120 t1=3 t2=60 routes=default:10\.0\.0\.1,10\.20\.0\.0/16:10\.0\.0\.1' 60
    [ "$name" != kea ] || t_check "$name: of a list of 63 servers the first four; domains to search" said life \
        ' ntp=10\.0\.0\.1,10\.0\.0\.2,10\.0\.0\.3,10\.0\.0\.4 .*search=eng\.example\.org,example\.org' 1
    t_check "$name: renewed at T1" said life '^renewed 10\.0\.0\.10[01]'
    t_check "$name: renewed again" sh -c \
        "for i in \$(seq 300); do [ \$(grep -c ^renewed '$scratch/life.out') -ge 2 ] && exit 0; sleep 0.1; done; exit 1"
    t_check "$name: the leased address is reached" ping -n -q -c 2 -i 0.2 -W 20 "$(leased_address life)"
    t_check "$name: the address was never lost" sh -c "! grep -q '^lost' '$scratch/life.out'"
    client_end life
    check_first_use "$name: a frame with the leased address within 100 ms of the ACK" life
    check_frames "$name" life
    client flag dhcp-lease --once --dhcp-broadcast
    wait "$client_pid"
    t_check "$name: a lease with the broadcast flag set, too" grep -q '^10\.0\.0\.10[01]/24' "$scratch/flag.out"
    t_check "$name: then its answers come by broadcast" captured flag 'dhcp.option.dhcp == 5 && ip.dst == 255.255.255.255'
    ;;
refusal)
    serve "$server" br0 10.0.0.110 10.0.0.111 120 60 90 255.255.255.0 10.0.0.1
    client refusal dhcp-lease --reboot=172.16.5.5
    t_check "$name: a foreign address is refused, then one leased" said refusal 'leased 10\.0\.0\.11[01]' 60
    client_end refusal
    t_check "$name: it was a NAK" captured refusal 'dhcp.option.dhcp == 6'
    check_frames "$name, refusal" refusal
    ;;
cloud)
    serve "$server" br0 10.0.0.120 10.0.0.121 120 60 90 255.255.255.255 10.0.0.1
    ip addr add 10.99.0.1/32 dev lo
    client cloud dhcp-lease
    t_check "$name: a /32, its router beyond" said cloud 'leased 10\.0\.0\.12[01]/32 .*routes=default:10\.0\.0\.1( |$)' 60
    t_check "$name: a host beyond that router is answered" \
        ping -n -q -c 2 -i 0.2 -W 20 -I 10.99.0.1 "$(leased_address cloud)"
    client_end cloud
    check_frames "$name, /32" cloud
    ;;
decline)
    serve "$server" br0 10.0.0.130 10.0.0.131 120 60 90 255.255.255.0 10.0.0.1
    client first dhcp-lease
    t_check "$name: a lease" said first 'leased 10\.0\.0\.13[01]' 60
    address=$(leased_address first)
    client_end first
    other_host "$address"
    # Kea and dnsmasq meet the conflict while the address is in use already, the others while it is probed first.
    probe=wait
    case $name in kea | dnsmasq) probe=beside ;; esac
    client decline dhcp-lease --ipv4-probe=$probe
    t_check "$name: the same lease" said decline "leased $address/" 60
    t_check "$name: another host has the address: it is lost" said decline 'lost: another host has the address'
    t_check "$name: then the other address is leased" said decline "leased 10\.0\.0\.$((261 - ${address##*.}))/" 60
    client_end decline
    t_check "$name: asked for no sooner than ten seconds after DECLINE" [ "$(pause_ms decline)" -ge 10000 ]
    t_check "$name: DECLINE was sent" captured decline "dhcp.option.dhcp == 4 && dhcp.option.requested_ip_address == $address"
    check_frames "$name, decline" decline
    ;;
rebind)
    # T2 leaves time for the first server to go and the second to come: half a minute, for after a rebinding that nobody
    # answers half of what is left of the lease goes by.
    serve "$server" br0 10.0.0.140 10.0.0.140 120 3 30 255.255.255.0 10.0.0.1
    client rebind dhcp-lease
    t_check "$name: a lease" said rebind 'leased 10\.0\.0\.140/24 server=10\.0\.0\.1 ' 60
    end_server
    other_host 10.0.0.3
    second=dhcpd
    [ "$server" != dhcpd ] || second=dnsmasq
    serve $second veth1 10.0.0.140 10.0.0.140 120 60 90 255.255.255.0 10.0.0.1
    t_check "$name gone: $second renews the lease" said rebind '^renewed 10\.0\.0\.140/24 server=10\.0\.0\.3 ' 110
    t_check "$name gone: the address was never lost" sh -c "! grep -q '^lost' '$scratch/rebind.out'"
    client_end rebind
    check_frames "$name, rebinding" rebind
    ;;
expiry)
    serve "$server" br0 10.0.0.150 10.0.0.151 $shortest 3 6 255.255.255.0 10.0.0.1
    client expiry dhcp-lease
    t_check "$name: a lease of $shortest s" said expiry "leased 10\.0\.0\.15[01]/24 server=10\.0\.0\.1 lease=$shortest " 60
    address=$(leased_address expiry)
    end_server
    t_check "$name gone: the lease ends, and the address with it" said expiry 'lost: the lease is over' $((shortest + 10))
    t_check "$name gone: nobody answers at the address any more" sh -c "! ping -n -q -c 1 -W 1 $address"
    client_end expiry
    t_check "$name gone: asked for alone first, then everybody" sh -c \
        "tshark -n -r '$scratch/expiry.pcap' -Y 'dhcp.option.dhcp == 3 && dhcp.ip.client != 0.0.0.0 && !icmp' -T fields -e ip.dst 2> /dev/null |
         uniq | tr '\n' ' ' | grep -q '10.0.0.1 255.255.255.255 '"
    check_frames "$name, expiry" expiry
    ;;
odd)
    extra='option interface-mtu 20; option broadcast-address 10.0.0.1;'
    serve "$server" br0 10.0.0.160 10.0.0.161 10 90 3 128.0.0.0 10.255.255.255
    client odd dhcp-lease
    t_check "$name: T1 behind T2 behind the end, a mask of one bit, an MTU of 20, a router that is none: a lease with T1 and T2 of its own" \
        said odd 'leased 10\.0\.0\.16[01]/8 server=10\.0\.0\.1 lease=10 t1=5 t2=[89]( |$)' 60
    t_check "$name: neither that MTU nor that router" sh -c "! grep -q 'mtu=20\|10.255.255.255' '$scratch/odd.out'"
    t_check "$name: renewed with the same values, twice" sh -c \
        "for i in \$(seq 500); do [ \$(grep -c ^renewed '$scratch/odd.out') -ge 2 ] && exit 0; sleep 0.1; done; exit 1"
    client_end odd
    for what in 'no usable mask' 'T1, T2 and lease time out of order' 'an MTU out of range' 'a router that cannot be one' \
        'a foreign broadcast address'; do
        t_check "$name: said once: $what" sh -c "[ \$(grep -c \"lease is odd: $what\" '$scratch/odd.log') -eq 1 ]"
    done
    ;;
useless)
    serve "$server" br0 10.0.0.170 10.0.0.171 0 60 90 255.255.255.0 10.0.0.1
    client useless dhcp-lease
    t_check "$name: a lease of no time is not taken, and that is told" said useless '^unusable: no lease time' 60
    sleep 20 # silence would be told with the third DISCOVER, after 14 at most
    t_check "$name: told once, and never that nobody answers" sh -c \
        "[ \$(grep -c . '$scratch/useless.out') -eq 1 ] && [ \$(grep -c 'lease is odd: no lease time' '$scratch/useless.log') -eq 1 ]"
    client_end useless
    t_check "$name: though it offered again and again" sh -c \
        "[ \$(tshark -n -r '$scratch/useless.pcap' -Y 'dhcp.option.dhcp == 2' 2> /dev/null | wc -l) -ge 3 ]"
    check_frames "$name, useless" useless
    ;;
esac
t_done
