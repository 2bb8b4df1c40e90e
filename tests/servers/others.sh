#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# ISC dhcpd, Kea and udhcpd, one after the other: lease, renewal at the T1 they send, and what each is good for:
# dhcpd: classless routes, refusal; Kea: the longest list an option holds; udhcpd: rebinding by another server,
# expiry. Every client's messages are looked at by tshark.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/servers/world.sh

stop_server() {
    kill "$server_pid" 2> /dev/null
    wait "$server_pid" 2> /dev/null
}

# ---- ISC dhcpd ----
if command -v dhcpd > /dev/null; then
    dhcpd=$(copy_of dhcpd)
    cat > "$scratch/dhcpd.conf" << 'CONF'
authoritative;
default-lease-time 60;
max-lease-time 60;
option dhcp-renewal-time 3;
option dhcp-rebinding-time 20;
option rfc3442-routes code 121 = array of unsigned integer 8;
ping-check false;
subnet 10.0.0.0 netmask 255.255.255.0 {
    range 10.0.0.100 10.0.0.101;
    option routers 10.0.0.250;
    option domain-name-servers 10.0.0.1;
    option domain-name "isc.example";
    option rfc3442-routes 0, 10,0,0,1, 16, 10,20, 10,0,0,1;
}
CONF
    : > "$scratch/dhcpd.leases"
    background "$scratch/dhcpd.log" "$dhcpd" -4 -f -d -cf "$scratch/dhcpd.conf" -lf "$scratch/dhcpd.leases" \
        -pf "$scratch/dhcpd.pid" --no-pid br0
    server_pid=$!
    client isc dhcp-lease
    t_check "ISC dhcpd: a lease, classless routes in place of the router" said isc \
        'leased 10\.0\.0\.10[01]/24 server=10\.0\.0\.1 lease=60 t1=3 t2=20 routes=default:10\.0\.0\.1,10\.20\.0\.0/16:10\.0\.0\.1 dns=10\.0\.0\.1 .*domain=isc\.example' 8
    t_check "ISC dhcpd: renewed" said isc '^renewed 10\.0\.0\.10' 6
    client_end isc
    check_frames "ISC dhcpd" isc
    client isc-nak dhcp-lease --reboot=172.16.5.5
    t_check "ISC dhcpd: refuses a foreign address, then leases one" said isc-nak 'leased 10\.0\.0\.10' 10
    t_check "ISC dhcpd: it was a NAK" grep -q 'DHCPNAK on 172.16.5.5' "$scratch/dhcpd.log"
    client_end isc-nak
    stop_server
else
    t_skip "ISC dhcpd" "isc-dhcp-server is not installed"
fi

# ---- Kea ----
if command -v kea-dhcp4 > /dev/null; then
    kea=$(copy_of kea-dhcp4)
    routers=$(seq -s ', ' -f '10.0.0.%g' 1 63)
    cat > "$scratch/kea.json" << CONF
{ "Dhcp4": {
    "interfaces-config": { "interfaces": [ "br0" ] },
    "lease-database": { "type": "memfile", "persist": false },
    "authoritative": true,
    "valid-lifetime": 60, "renew-timer": 3, "rebind-timer": 20,
    "subnet4": [ { "subnet": "10.0.0.0/24", "pools": [ { "pool": "10.0.0.120 - 10.0.0.121" } ],
        "option-data": [
            { "name": "routers", "data": "10.0.0.1" },
            { "name": "domain-search", "data": "eng.example.org, example.org" },
            { "name": "ntp-servers", "data": "$routers" },
            { "name": "domain-name-servers", "data": "10.0.0.1" } ] } ],
    "loggers": [ { "name": "kea-dhcp4", "severity": "INFO", "output_options": [ { "output": "stdout" } ] } ]
} }
CONF
    export KEA_PIDFILE_DIR=$scratch KEA_LOCKFILE_DIR=none
    background "$scratch/kea.log" "$kea" -c "$scratch/kea.json"
    server_pid=$!
    for _ in $(seq 60); do grep -q DHCP4_STARTED "$scratch/kea.log" && break; sleep 0.1; done
    client kea dhcp-lease
    t_check "Kea: a lease; of a list of 63 servers the first four" said kea \
        'leased 10\.0\.0\.12[01]/24 server=10\.0\.0\.1 lease=60 t1=3 t2=20 routes=default:10\.0\.0\.1 dns=10\.0\.0\.1 ntp=10\.0\.0\.1,10\.0\.0\.2,10\.0\.0\.3,10\.0\.0\.4 .*search=eng\.example\.org,example\.org' 8
    t_check "Kea: renewed" said kea '^renewed 10\.0\.0\.12' 6
    client_end kea
    check_frames Kea kea
    stop_server
else
    t_skip "Kea" "kea-dhcp4-server is not installed"
fi

# ---- udhcpd ----
if command -v udhcpd > /dev/null; then
    udhcpd=$(copy_of udhcpd)
    : > "$scratch/udhcpd.leases"
    cat > "$scratch/udhcpd.conf" << CONF
start 10.0.0.140
end 10.0.0.141
interface br0
lease_file $scratch/udhcpd.leases
pidfile $scratch/udhcpd.pid
option subnet 255.255.255.0
option router 10.0.0.1
option dns 10.0.0.1
option lease 12
min_lease 10
option 58 00000002
option 59 00000005
CONF
    background "$scratch/udhcpd.log" "$udhcpd" -f "$scratch/udhcpd.conf"
    server_pid=$!
    sleep 0.3
    client udhcpd dhcp-lease
    t_check "udhcpd: a lease" said udhcpd 'leased 10\.0\.0\.14[01]/24 server=10\.0\.0\.1 lease=12' 12
    t_check "udhcpd: renewed" said udhcpd '^renewed 10\.0\.0\.14' 8
    stop_server
    # Nobody is left who renews; then the lease ends.
    t_check "udhcpd gone: the lease ends, and the address with it" said udhcpd 'lost: the lease is over' 16
    client_end udhcpd
    t_check "udhcpd gone: the renewals went to it alone, then to everybody" sh -c \
        "tshark -n -r '$scratch/udhcpd.pcap' -Y 'dhcp.option.dhcp == 3 && dhcp.ip.client != 0.0.0.0 && !icmp' -T fields -e ip.dst 2> /dev/null |
         uniq | tr '\n' ' ' | grep -q '10.0.0.1 255.255.255.255 '"
    check_frames udhcpd udhcpd
else
    t_skip "udhcpd" "udhcpd is not installed"
fi
t_done
