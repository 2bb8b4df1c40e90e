# SPDX-License-Identifier: ISC
# Sourced by the scripts here, from the top of the tree and after tests/support/tap.sh: a network namespace with
# two taps joined by a bridge, so that servers on br0 and other hosts reach the client on wisp0.
#
#   client NAME PARAMETER...     starts an application in the background: output $scratch/NAME.out, log .log
#   client_end NAME              ends it; a test: orderly, and no sanitizer complained
#   said NAME PATTERN [SECONDS]  waits until the output has a line that matches; 30 seconds, if not told
#   leased_address NAME          the address it was given last
#   end_server                   ends server_pid: nothing of it is left on any network
#   copy_of PROGRAM              a copy under another path, which no AppArmor profile names
#   check_frames NAME FILE [sums]    a test: tshark finds nothing wrong in what the client sent; in its UDP checksums
#                                either, which are there to be seen if the client was given --offload=off
. tests/support/wait.sh
if [ -z "${WISP_NETNS-}" ]; then
    export WISP_NETNS=1
    if [ "$(id -u)" -eq 0 ] && unshare -n true 2> /dev/null; then
        exec unshare -n "$0" "$@"
    fi
    t_skip_all "DHCP servers need a network namespace and root"
fi
PATH=$PATH:/usr/sbin:/sbin
build=$(realpath "${WISP_BUILD_SAN:-build}")
[ -w /dev/net/tun ] || t_skip_all "/dev/net/tun cannot be opened"
[ -x "$build/apps/dhcp-lease" ] || t_skip_all "dhcp-lease is not built"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/wisp-servers.XXXXXX")
chmod 755 "$scratch"
pids=()

finish() {
    local pid
    for pid in ${pids[@]+"${pids[@]}"}; do
        kill "$pid" 2> /dev/null
    done
    wait 2> /dev/null
    [ -n "${WISP_KEEP-}" ] || rm -rf "$scratch"
}
trap finish EXIT

needs() {
    local command
    for command in "$@"; do
        command -v "$command" > /dev/null || t_skip_all "$command is not installed"
    done
}

copy_of() {
    local copy
    copy=$scratch/$(basename "$1")
    cp "$(readlink -f "$(command -v "$1")")" "$copy" && echo "$copy"
}

quiet_ip6() {
    sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 2> /dev/null
}

needs ip tshark
quiet_ip6
ip link set lo up
ip link add br0 type bridge forward_delay 0
ip addr add 10.0.0.1/24 dev br0
ip link set br0 up
# A port that is always up: without one the bridge has no carrier until a client opens its tap, and Kea does not listen.
ip link add up0 type veth peer name up1
ip link set up1 up
ip link set up0 master br0 up
ip tuntap add dev wisp0 mode tap
ip link set wisp0 master br0 up

background() { # log, command...
    local log=$1
    shift
    "$@" > "$log" 2>&1 &
    pids+=($!)
}

client() { # name, application and parameters
    local name=$1 app=$2
    shift 2
    "$build/apps/$app" --tap=wisp0 --ipv4=dhcp --dhcp-floor=1 --pcap="$scratch/$name.pcap" "$@" \
        > "$scratch/$name.out" 2> "$scratch/$name.log" &
    client_pid=$!
    pids+=("$client_pid")
}

said() {
    local end=$((SECONDS + ${3-30}))
    until grep -qE -e "$2" "$scratch/$1.out"; do
        [ $SECONDS -lt $end ] || {
            cat "$scratch/$1.out" "$scratch/$1.log" >&2
            return 1
        }
        sleep 0.05
    done
}

leased_address() { # client
    sed -nE 's/^leased ([0-9.]+)\/.*/\1/p' "$scratch/$1.out" | tail -1
}

end_server() {
    kill "$server_pid" 2> /dev/null
    wait "$server_pid" 2> /dev/null
}

client_end() {
    local status
    kill -TERM "$client_pid" 2> /dev/null
    wait "$client_pid"
    status=$?
    if [ $status -eq 0 ] && ! grep -qE 'ERROR: |runtime error' "$scratch/$1.log"; then
        t_ok "$1: the end is orderly"
    else
        t_not_ok "$1: the end is orderly" "status $status"
        cat "$scratch/$1.log" >&2
    fi
}

check_frames() { # test's name, capture, sums
    local file=$scratch/$2.pcap sent wrong sums=${3:+TRUE}
    sent=$(tshark -n -r "$file" -Y 'dhcp.type == 1' 2> /dev/null | wc -l)
    wrong=$(tshark -n -r "$file" -o ip.check_checksum:TRUE -o "udp.check_checksum:${sums:-FALSE}" \
        -Y 'dhcp.type == 1 && (_ws.malformed || _ws.expert.severity >= 6291456)' 2> /dev/null | head -3)
    if [ "$sent" -gt 0 ] && [ -z "$wrong" ]; then
        t_ok "$1: tshark finds nothing wrong in $sent messages of ours${sums:+, UDP checksums included}"
    else
        t_not_ok "$1: tshark finds nothing wrong in $sent messages of ours${sums:+, UDP checksums included}" "$wrong"
    fi
}

# Milliseconds between the ACK's arrival and the first frame with the leased address in it.
first_use_ms() { # capture
    tshark -n -r "$scratch/$1.pcap" -T fields -e frame.time_relative -e dhcp.option.dhcp -e arp.opcode \
        -e arp.src.proto_ipv4 -Y 'dhcp.option.dhcp == 5 || arp.src.proto_ipv4 != 10.0.0.1' 2> /dev/null |
        awk -F '\t' '$2 == 5 && !ack { ack = $1; next } ack && $4 != "" && $4 != "0.0.0.0" { printf "%d\n", ($1 - ack) * 1000; exit }'
}

# A test: so it was within 100 ms, with this client, or with the best of up to five that follow it. The machine that keeps
# one waiting between its two frames does not keep all of them.
check_first_use() { # test's name, capture
    local name=$1 capture=$2 took n=0
    took=$(first_use_ms "$capture")
    while [ "${took:-1000}" -gt 100 ] && [ $((n += 1)) -le 5 ]; do
        client "again$n" dhcp-lease
        said "again$n" '^leased ' && until_ok ping -n -q -c 1 -W 5 "$(leased_address "again$n")"
        kill -TERM "$client_pid"
        wait "$client_pid"
        took=$(first_use_ms "again$n")
    done
    t_check "$name" [ "${took:-1000}" -le 100 ]
}
