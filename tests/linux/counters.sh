#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# SIGUSR1: every application prints the counters of every layer on standard error and goes on.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/linux/netns.sh
needs ip nc ping python3

value() { # counter: its value when it was printed last
    tac "$app_log" | sed '/^# /q' | sed -n "s/^$1 \([0-9]*\)$/\1/p"
}
printed() { # that many times, the last time to its end
    [ "$(grep -c '^# [a-z-]*: counters [0-9.]* s after its start$' "$app_log")" -eq "$1" ] &&
        [ -n "$(value pages.held.quarantine)" ]
}
asked() { # the how manyth time
    kill -USR1 "$app_pid" && until_ok printed "$1"
}
of_layers() { # first words of counters: each is there, and no line is odd
    local word bad=0
    for word in "$@"; do
        tac "$app_log" | sed '/^# /q' | grep -qE "^$word\.[a-z_.]+ [0-9]+$" || { echo "no counter of $word" >&2; bad=1; }
    done
    sed '1,/^# /d' "$app_log" | grep -vE '^[a-z0-9_.]+ [0-9]+$|^# |^\[' >&2 && bad=1
    return $bad
}

app_start echo
t_check "ping and echo are answered" \
    sh -c "ping -c 3 -i 0.1 10.0.0.2 > $scratch/ping && echo hello | nc -N 10.0.0.2 7 | grep -qx hello"
t_check "SIGUSR1 prints counters" asked 1
t_check "of every layer: Ethernet, ARP, IPv4, ICMP, TCP, the device and the page pool" \
    of_layers ethif arp ipv4 icmp tcp device pages
counted() {
    [ "$(value icmp.rx.echo)" -eq 3 ] && [ "$(value tcp.opened_passive)" -eq 1 ] && [ "$(value tcp.rx.bytes)" -eq 6 ] &&
        [ "$(value device.tx.frames)" -ge 5 ] && [ "$(value pages.total)" -gt "$(value pages.in_use)" ] &&
        [ "$(value pages.in_use)" -gt 0 ]
}
t_check "which say what happened" counted
t_check "a tap is notified of nothing: each frame is a call of its own" [ "$(value device.notifications)" = 0 ]
t_check "and it goes on" sh -c "echo again | nc -N 10.0.0.2 7 | grep -qx again"
t_check "a second SIGUSR1 prints them anew" asked 2
t_check "with what happened since" [ "$(value tcp.opened_passive)" = 2 ]
app_stop "its end is orderly"

# Between two waits of a busy one: asked while megabytes go through.
app_start chargen
busy() {
    local i first
    timeout 100 nc 10.0.0.2 19 < /dev/null > "$scratch/busy" &
    until_ok test -s "$scratch/busy"
    for i in 1 2 3 4 5; do
        asked "$i" || return 1
        [ "$i" -gt 1 ] || first=$(value tcp.tx.bytes)
    done
    kill $!
    [ "$(value tcp.tx.bytes)" -gt "$first" ]
}
t_check "chargen, busy: five times" busy
app_stop "its end is orderly"

app_start echo --udp
t_check "echo --udp: SIGUSR1" asked 1
t_check "shows UDP" of_layers ethif ipv4 udp pages
app_stop "its end is orderly"
app_start discard "--pcap=$app_pcap"
t_check "discard --pcap: SIGUSR1" asked 1
t_check "shows the device below the capture" [ "$(value device.tx.frames)" -gt 0 ]
app_stop "its end is orderly"

# Those that say nothing of when they are ready: asked until all is there. The addresses are nobody's, so that they
# wait.
asked_for() { # first words...
    kill -USR1 "$app_pid" && sleep 0.1 && of_layers "$@"
}
begin() { # application, parameters...
    rm -f "$app_log"
    "$build/apps/$1" --tap=wisp0 "${@:2}" > "$scratch/out" 2> "$app_log" &
    app_pid=$!
    until_ok ip link show wisp0
}
waiting() { # application, first words wanted of its counters; parameters...
    local app=$1 words=$2 end=$((SECONDS + 60)) status=0
    shift 2
    begin "$app" "$@"
    # shellcheck disable=SC2086
    until asked_for $words; do
        [ $SECONDS -lt $end ] || { status=1 && break; }
        # resolve waits for seven seconds only
        kill -0 "$app_pid" 2> /dev/null || begin "$app" "$@"
    done
    kill -TERM "$app_pid"
    wait "$app_pid" 2> /dev/null
    app_pid=
    until_ok no_tap
    return $status
}
t_check "ping: SIGUSR1" waiting ping "icmp device pages" --ipv4=10.0.0.2/24 --count=100 10.0.0.1
t_check "fetch: SIGUSR1" waiting fetch "tcp device pages" --ipv4=10.0.0.2/24 http://10.0.0.77/
t_check "iperf: SIGUSR1" waiting iperf "tcp device pages" --ipv4=10.0.0.2/24
t_check "resolve: SIGUSR1 shows DNS, too" waiting resolve "dns udp device pages" --ipv4=10.0.0.2/24 \
    --nameserver=10.0.0.77 example.org
t_check "dhcp-lease: SIGUSR1 shows DHCP, too" waiting dhcp-lease "dhcp udp device pages"
t_check "slides: SIGUSR1" waiting slides "tcp device pages" --ipv4=10.0.0.2/24
t_check "--help tells of it" sh -c "'$build/apps/echo' --help | grep -q 'SIGUSR1 .*counters of every layer'"
t_done
