#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# dnsmasq as DHCP server: lease, renewal, what options say, conflict, refusal, INFORM, INIT-REBOOT, classless routes;
# the client identifier it sees; and where the banner says the address is from.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/servers/world.sh
needs dnsmasq
server=$(copy_of dnsmasq)

serve() { # options...
    background "$scratch/dnsmasq.log" "$server" --no-daemon --port=0 --conf-file=/dev/null --interface=br0 \
        --bind-dynamic --no-ping --dhcp-authoritative --dhcp-leasefile="$scratch/leases" --log-dhcp "$@"
    server_pid=$!
    until_ok listens udp 67
}
serve --dhcp-range=10.0.0.50,10.0.0.60,255.255.255.0,120 --dhcp-option=option:T1,3 --dhcp-option=option:T2,90 \
    --dhcp-option=option:domain-search,eng.example.org,example.org --dhcp-option=option:mtu,1400 \
    --dhcp-option=option:ntp-server,10.0.0.9 --dhcp-option=option:dns-server,10.0.0.1,10.0.0.8 \
    --domain=example.net --dhcp-host=id:box-7,10.0.0.65 --dhcp-host=id:ff:00:00:00:07:00:03:00:01:02:00:00:00:00:07,10.0.0.66

client lease dhcp-lease --dhcp-name=box
t_check "a lease, with what the server says" said lease \
    'leased 10\.0\.0\.5[0-9]/24 server=10\.0\.0\.1 lease=120 t1=3 t2=90 routes=default:10\.0\.0\.1 dns=10\.0\.0\.1,10\.0\.0\.8 ntp=10\.0\.0\.9 mtu=1400 .*domain=example\.net search=eng\.example\.org,example\.org'
t_check "renewed at T1" said lease '^renewed 10\.0\.0\.5'
address=$(leased_address lease)
t_check "the kernel reaches the address" ping -n -q -c 2 -i 0.2 -W 20 "$address"
client_end lease
check_first_use "a frame with the leased address within 100 ms of the ACK" lease
check_frames lease lease

client once dhcp-lease --once --reboot="$address" --release --offload=off
wait "$client_pid"
t_check "--once: one line, and status 0" sh -c "[ $? -eq 0 ] && [ \$(wc -l < '$scratch/once.out') -eq 1 ]"
t_check "INIT-REBOOT: the same address again" grep -q "^$address/24 " "$scratch/once.out"
t_check "the address is asked for without a DISCOVER" \
    sh -c "! tshark -n -r '$scratch/once.pcap' -Y 'dhcp.option.dhcp == 1' 2> /dev/null | grep -q ."
t_check "RELEASE reaches the server" until_ok grep -q "DHCPRELEASE(br0) $address" "$scratch/dnsmasq.log"
check_frames once once sums

client foreign dhcp-lease --reboot=192.168.77.7
t_check "INIT-REBOOT with a foreign address: NAK, and a lease of this network" said foreign 'leased 10\.0\.0\.5'
t_check "the server did refuse" until_ok grep -q 'DHCPNAK(br0) 192.168.77.7' "$scratch/dnsmasq.log"
client_end foreign

"$build/apps/dhcp-lease" --tap=wisp0 --ipv4=10.0.0.77/24 --once > "$scratch/inform.out" 2> "$scratch/inform.log"
t_check "INFORM: everything but an address" \
    grep -qE '^10\.0\.0\.77/24 server=10\.0\.0\.1 routes=default:10\.0\.0\.1 dns=10\.0\.0\.1,10\.0\.0\.8' "$scratch/inform.out"

# An identifier given as text goes behind type 0 (RFC 2132 9.14); without one it is type 255, an IAID and a DUID of the
# MAC (RFC 4361). dnsmasq has an address for each, and writes down the octets it got.
"$build/apps/dhcp-lease" --tap=wisp0 --ipv4=dhcp --once --dhcp-id=box-7 --pcap="$scratch/id.pcap" \
    > "$scratch/id.out" 2> "$scratch/id.log"
t_check "--dhcp-id=box-7: the address the server has for this identifier" grep -q '^10\.0\.0\.65/24 ' "$scratch/id.out"
t_check "it saw type 0 and the text" until_ok grep -qE ' 10\.0\.0\.65 .* 00:62:6f:78:2d:37$' "$scratch/leases"
t_check "tshark reads it so" sh -c "tshark -n -V -r '$scratch/id.pcap' -Y 'dhcp.option.dhcp == 1' 2> /dev/null |
    grep -A 3 'Option: (61)' | tr -d '\n' | grep -q 'Length: 6 *Type: 0 *Client Identifier: box-7'"
"$build/apps/dhcp-lease" --tap=wisp0 --ipv4=dhcp --once --mac=02:00:00:00:00:07 > "$scratch/mac.out" 2> "$scratch/mac.log"
t_check "without: the address the server has for the identifier of this MAC" grep -q '^10\.0\.0\.66/24 ' "$scratch/mac.out"

# What the banner says. (xenstore: tests/test_net_source.c, tests/xen/network.sh.)
from() { # parameters
    rm -f "$scratch/from.log" # of the last time, whose line would be found before this one begins
    background "$scratch/from.log" "$build/apps/echo" --tap=wisp0 "$@"
    local pid=$! line
    until_ok grep -E '\((command line|DHCP)\)' "$scratch/from.log"
    line=$(grep -E '\((command line|DHCP)\)' "$scratch/from.log")
    kill $pid && wait $pid
    cat "$scratch/from.log" >&2
    echo "${line#*net    }"
}
t_check "the banner: from the command line, nobody asked" [ "$(from --ipv4=10.0.0.90/24)" = "10.0.0.90/24 (command line), gateway none" ]
t_check "no word of DHCP then" sh -c "! grep -q DHCP '$scratch/from.log'"
line=$(from)
t_check "the banner: no address given, so by DHCP" grep -q 'no address given: asking by DHCP$' "$scratch/from.log"
t_check "and with which lease" grep -qE '^10\.0\.0\.(5[0-9]|60)/24 server=10\.0\.0\.1 .* \(DHCP\)$' <<< "$line"

# A new server with one address in its pool, which another host has, unknown to it.
end_server
rm -f "$scratch/leases"
ip netns add other 2> /dev/null
ip link add veth0 type veth peer name veth1
ip link set veth0 master br0 up
ip link set veth1 netns other
ip -n other addr add 10.0.0.70/24 dev veth1
ip -n other link set veth1 up
until_ok ip netns exec other ping -n -q -c 1 -W 1 10.0.0.1
serve --dhcp-range=10.0.0.70,10.0.0.71,255.255.255.0,120
client conflict dhcp-lease --ipv4-probe=wait --dhcp-id=first
if said conflict 'leased 10\.0\.0\.70'; then
    t_check "another host has the address: it is lost" said conflict 'lost: another host has the address'
else
    t_check "another host has the address: a second client is given it" false
fi
t_check "DECLINE reaches the server" \
    until_ok grep -q 'DHCPDECLINE(br0) 10.0.0.70' "$scratch/dnsmasq.log"
t_check "and after ten seconds another address is leased" said conflict 'leased 10\.0\.0\.71' 60
client_end conflict
check_frames conflict conflict
ip netns del other

# Classless routes in place of the router; a /32 with the gateway beyond, as clouds have it.
end_server
rm -f "$scratch/leases"
serve --dhcp-range=10.0.0.80,10.0.0.81,255.255.255.0,120 --dhcp-option=option:router,10.0.0.250 \
    --dhcp-option=option:netmask,255.255.255.255 \
    --dhcp-option=option:classless-static-route,10.0.0.1/32,0.0.0.0,0.0.0.0/0,10.0.0.1,10.20.0.0/16,10.0.0.1
ip addr add 10.99.0.1/32 dev lo
client cloud dhcp-lease
t_check "classless routes replace the router; mask /32" said cloud \
    'leased 10\.0\.0\.8[01]/32 .*routes=10\.0\.0\.1/32:link,default:10\.0\.0\.1,10\.20\.0\.0/16:10\.0\.0\.1'
address=$(leased_address cloud)
t_check "a host beyond the gateway is answered, the gateway being on the link" \
    ping -n -q -c 2 -i 0.2 -W 20 -I 10.99.0.1 "$address"
client_end cloud
t_done
