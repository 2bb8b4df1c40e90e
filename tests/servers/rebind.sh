#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# The server that leased is gone, and another one with another address answers: the lease moves over, and
# the address is not lost for a moment.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/servers/world.sh
needs dnsmasq dhcpd
dnsmasq=$(copy_of dnsmasq)
dhcpd=$(copy_of dhcpd)

background "$scratch/dnsmasq.log" "$dnsmasq" --no-daemon --port=0 --conf-file=/dev/null --interface=br0 \
    --bind-dynamic --no-ping --dhcp-leasefile="$scratch/leases" --log-dhcp \
    --dhcp-range=10.0.0.90,10.0.0.90,255.255.255.0,120 --dhcp-option=option:T1,4 --dhcp-option=option:T2,7
first=$!
sleep 0.3
client rebind dhcp-lease
t_check "the first server leases" said rebind 'leased 10\.0\.0\.90/24 server=10\.0\.0\.1 ' 8
kill "$first"
wait "$first" 2> /dev/null

# The other server lives in a namespace of its own and has another address.
ip netns add second
ip link add veth0 type veth peer name veth1
ip link set veth0 master br0 up
ip link set veth1 netns second
ip -n second link set lo up
ip -n second addr add 10.0.0.3/24 dev veth1
ip -n second link set veth1 up
cat > "$scratch/dhcpd.conf" << 'CONF'
authoritative;
default-lease-time 60;
ping-check false;
subnet 10.0.0.0 netmask 255.255.255.0 { range 10.0.0.90 10.0.0.90; option routers 10.0.0.1; }
CONF
: > "$scratch/dhcpd.leases"
background "$scratch/dhcpd.log" ip netns exec second "$dhcpd" -4 -f -d -cf "$scratch/dhcpd.conf" \
    -lf "$scratch/dhcpd.leases" --no-pid veth1
t_check "the second one renews it" said rebind '^renewed 10\.0\.0\.90/24 server=10\.0\.0\.3 ' 16
t_check "the address was never lost" sh -c "! grep -q '^lost' '$scratch/rebind.out'"
client_end rebind
check_frames rebind rebind
kill %% 2> /dev/null
ip netns del second
t_done
