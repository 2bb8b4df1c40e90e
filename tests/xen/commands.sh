#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# lab/xen: every command on real Xen in QEMU, the same commands inside its dom0, and each wrong use.
# shellcheck disable=SC2016,SC2086,SC2094,SC2317 # scripts for shells elsewhere; functions called through t_check
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
export WISP_LAB=${WISP_LAB:-test}-commands # of its own: this test stops it

lab() { lab/xen "$@"; }
dom0() { lab/xen run -- "$@"; }

scratch=$(mktemp -d)
trap 'lab stop >&2; rm -rf "$scratch"' EXIT
started=$(lab start 2>&1)
case $? in
    0) t_ok "the lab starts" ;;
    77) t_skip_all "${started#lab: }" ;;
    *) t_not_ok "the lab starts" "$started"; t_done ;;
esac

# says STATUS PATTERN COMMAND...: exit status and one line on standard error that matches.
says() {
    local want=$1 pattern=$2 status=0
    shift 2
    "$@" >"$scratch/out" 2>"$scratch/err" </dev/null || status=$?
    [ $status = "$want" ] && [ "$(wc -l <"$scratch/err")" = 1 ] && grep -q -- "$pattern" "$scratch/err" && return
    echo "status $status, standard error:"; cat "$scratch/err"
    return 1
}

# status_is STATUS COMMAND...
status_is() {
    local want=$1 status=0
    shift
    "$@" </dev/null || status=$?
    [ $status = "$want" ] || { echo "status $status, not $want"; return 1; }
}

# prints TEXT COMMAND...
prints() {
    local want=$1 got
    shift
    got=$("$@")
    [ "$got" = "$want" ] || { echo "printed: $got"; return 1; }
}

within() { # SECONDS COMMAND...: tried again until it succeeds
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.2
    done
}

# --- the two ends of the control channel, which lab/image compiles without warnings turned on
for cc in gcc clang; do
    if command -v $cc >/dev/null; then
        t_check "agent.c and call.c are clean for $cc" $cc -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wshadow \
            -Wstrict-prototypes -Werror -fsyntax-only lab/agent.c lab/call.c
    else
        t_skip "agent.c and call.c are clean for $cc" "no $cc"
    fi
done

# --- running things
xl_list() { dom0 xl list | grep -q '^Domain-0'; }
t_check "dom0 answers xl list" xl_list
t_check "exit status 0 comes back" status_is 0 dom0 true
t_check "exit status 3 comes back" status_is 3 dom0 sh -c 'exit 3'
t_check "exit status 255 comes back" status_is 255 dom0 sh -c 'exit 255'
t_check "death by signal 9 is 137" status_is 137 dom0 sh -c 'kill -9 $$'
t_check "no such program is 127, in one line" says 127 'nosuch: No such file' dom0 nosuch

streams() {
    dom0 sh -c 'echo one; echo two >&2' >"$scratch/1" 2>"$scratch/2"
    [ "$(cat "$scratch/1")" = one ] && [ "$(cat "$scratch/2")" = two ]
}
t_check "standard output and error stay apart" streams
t_check "words stay words" prints '[a b][][*][$x]' dom0 printf '[%s]' 'a b' '' '*' '$x'
t_check "without -i a command has no input" prints '' sh -c 'echo lost | lab/xen run -- cat'
t_check "with -i a command has ours" prints 'kept' sh -c 'echo kept | lab/xen run -i -- cat'

cat >"$scratch/script" <<'END'
#!/bin/bash
echo "$BASH_VERSINFO $# $2"
exit 9
END
t_check "a script runs under its own interpreter, with arguments" prints '5 2 b c' lab run "$scratch/script" a 'b c'
t_check "a script's exit status comes back" status_is 9 lab run "$scratch/script"
t_check "a script leaves nothing behind" prints '' dom0 sh -c 'ls /tmp'

background() {
    dom0 sh -c 'sleep 77 & echo started' | grep -q started && dom0 pgrep -x -f 'sleep 77' >/dev/null
}
t_check "a background process does not hold the command up, and lives on" timeout 60 bash -c "$(declare -f background dom0); background"

killed() {
    lab/xen run -- sleep 888 & # no function: the signal must reach lab/xen itself
    local pid=$!
    within 60 dom0 pgrep -x -f 'sleep 888' >/dev/null || return 1
    kill $pid
    within 60 sh -c '! lab/xen run -- pgrep -x -f "sleep 888" >/dev/null'
}
t_check "killing lab/xen ends the command in dom0" killed

side_by_side() {
    local i
    for i in $(seq 12); do dom0 sh -c "sleep 0.2; echo $i" >"$scratch/side$i" & done
    wait
    for i in $(seq 12); do
        [ "$(cat "$scratch/side$i")" = "$i" ] || { echo "command $i printed: $(cat "$scratch/side$i")"; return 1; }
    done
}
t_check "twelve commands at once each get their own answer" side_by_side

# The same while QEMU takes nobody in, as on a busy machine: all dial while it has room for one.
crowd() {
    local qemu
    qemu=$(cat "${XDG_RUNTIME_DIR:-/tmp/wisp-$(id -u)}/lab-$WISP_LAB/pid")
    kill -STOP "$qemu"
    (sleep 1; kill -CONT "$qemu") &
    side_by_side
}
t_check "and so they do when the lab is too busy to take them in" crowd

in_a_row() {
    local i
    for i in $(seq 40); do [ "$(dom0 echo "$i")" = "$i" ] || return 1; done
}
t_check "forty commands in a row each get their own answer" in_a_row

# --- copies
head -c 8000000 /dev/urandom >"$scratch/random"
mkdir -p "$scratch/folder/deep"
echo inside >"$scratch/folder/deep/file"
chmod 751 "$scratch/folder/deep/file"

there_and_back() {
    local since=${EPOCHREALTIME/./} half
    lab put "$scratch/random" /root/random || return 1
    half=${EPOCHREALTIME/./}
    lab get /root/random "$scratch/back" || return 1
    echo "8 MB: put $(((half - since) / 1000)) ms, get $(((${EPOCHREALTIME/./} - half) / 1000)) ms"
    cmp "$scratch/random" "$scratch/back"
}
t_check "8 MB of random bytes go in and come out the same" there_and_back
through_pipe() { lab run -i -- cat <"$scratch/random" | cmp - "$scratch/random"; }
t_check "8 MB of random bytes pass a command both ways at once" through_pipe
folders() {
    lab put "$scratch/folder" /root/ && dom0 test -x /root/folder/deep/file &&
        lab get /root/folder "$scratch/copy" && [ "$(cat "$scratch/copy/deep/file")" = inside ]
}
t_check "folders go in and come out with their modes" folders
t_check "get of what is not there: one line, status 1" says 1 "no file '/nosuch' in dom0" lab get /nosuch "$scratch/"
t_check "put of what is not here: one line, status 1" says 1 "no file '/nosuch'" lab put /nosuch /root/

# --- wrong use
t_check "an unknown command: one line, status 2" says 2 "no command 'frob'" lab frob
t_check "run without a command: one line, status 2" says 2 'run what' lab run
t_check "run of no file: one line, status 2" says 2 "no script 'xl'" lab run xl list
t_check "forward without an address: one line, status 2" says 2 'forward PORT IP:PORT' lab forward 80
t_check "a guest that is neither pv nor pvh: one line, status 2" says 2 'linux-guest NAME' lab linux-guest x hvm
t_check "no QEMU: one line says what to install, status 77" \
    says 77 'apt-get install qemu-system-x86' env WISP_LAB="$scratch/a/b" WISP_QEMU=/nosuch lab/xen start
cp -s /usr/bin/* /usr/sbin/* "$scratch/folder/" 2>/dev/null
rm -f "$scratch"/folder/{cpio,xz}
t_check "no tools to build with: one line says what to install, status 77" \
    says 77 'apt-get install cpio xz-utils$' env WISP_LAB="$scratch/a/b" WISP_CACHE="$scratch/cache" PATH="$scratch/folder" lab/xen start
t_check "not running: one line, status 1" says 1 'lab/xen start' env WISP_LAB="$scratch/a/b" lab/xen run -- true
help_names_all() { lab --help | grep -c '^  [a-z]' | grep -qx 13; }
t_check "--help lists the commands" help_names_all

# --- Xen
t_check "a Linux PV guest comes up" lab linux-guest peer pv 10.0.0.7/24
t_check "dom0 pings it" dom0 ping -q -c 3 -i 0.2 10.0.0.7
iperf_runs() { dom0 iperf -c 10.0.0.7 -t 1 -f m | grep 'Mbits/sec'; }
t_check "iperf runs against it" iperf_runs
t_check "its console is kept" within 60 dom0 grep -q 'linux guest up' /var/log/xen/console/guest-peer.log

port=$((20000 + $$ % 12000)) # below those that the kernel gives to who asks for none
t_check "a port of this machine is forwarded to it" lab forward $port 10.0.0.7:24
through_forward() { # a shell in the guest listens on port 24
    exec 5<>/dev/tcp/127.0.0.1/$port || return 1
    echo 'echo reached $((6 * 7)); exit' >&5
    local line
    read -r -t 60 line <&5
    exec 5>&-
    [ "$line" = "reached 42" ]
}
t_check "and reaches it" through_forward
t_check "forwarding a taken port: one line, status 1" says 1 "cannot forward port $port" lab forward $port 10.0.0.7:24
forward_listed() { lab status | grep -q "127.0.0.1:$port -> 10.0.0.7:24"; }
t_check "status names the forwarded port" forward_listed
t_check "a forwarded port is given back" sh -c "lab/xen forward --end $port && ! (exec 5<>/dev/tcp/127.0.0.1/$port) 2>/dev/null"
t_check "once only: one line, status 1" says 1 "port $port is not forwarded" lab forward --end $port
t_check "the guest is destroyed without a leftover" dom0 sh -c '
    xl destroy peer || exit 1
    for i in $(seq 300); do
        ! ip link | grep vif && ! xenstore-exists /local/domain/0/backend/vif/1 && exit 0
        sleep 0.1
    done
    exit 1'
t_check "a Linux PVH guest comes up" lab linux-guest peer pvh 10.0.0.7/24
console_left() { # the key is pressed once the console shows what the guest said; and no end of input ends it instead
    mkfifo "$scratch/keys"
    timeout 100 lab/xen console peer <"$scratch/keys" >"$scratch/shown" &
    local console=$!
    exec 6>"$scratch/keys"
    within 60 grep -q 'linux guest up' "$scratch/shown" || return 1
    printf '\035' >&6
    wait $console && exec 6>&-
}
t_check "its console is reached, and left with Ctrl-]" console_left
t_check "a command in dom0's console shell" prints 'x42x' sh -c 'printf "PS1=; echo x\$((6*7))x; exit\n" | lab/xen console | tr -d "\r" | grep ^x42x'
dom0 xl destroy peer

t_check "dom0 has what a user-space netfront needs" dom0 sh -c '
    for n in evtchn gntalloc gntdev privcmd xenbus; do [ -c /dev/xen/$n ] || exit 1; done
    cd /usr/lib/x86_64-linux-gnu && ls libxengnttab.so.1 libxenevtchn.so.1 libxenstore.so.4'
t_check "a vif with dom0 itself as frontend waits for one" dom0 sh -c '
    xl network-attach 0 mac=00:16:3e:00:00:aa
    for i in $(seq 100); do
        [ "$(xenstore-read /local/domain/0/backend/vif/0/0/state)" = 2 ] && ip link show vif0.0 && exit 0
        sleep 0.3
    done
    exit 1'
t_check "xenbr1 has a DHCP server" dom0 sh -c '
    ip link add veth-a type veth peer name veth-b && ip link set veth-a master xenbr1 up &&
    ip link set veth-b up && udhcpc -i veth-b -n -q -t 10 -T 1 -s /bin/true 2>&1 | grep "lease of 10.1.0"'

# --- on a real dom0
t_check "the lab's own files go into dom0" lab put lab /root/
t_check "there lab/xen uses the real thing" dom0 sh -c '/root/lab/xen status | grep "is a dom0" && /root/lab/xen status | grep Domain-0'
t_check "there exit statuses come back" status_is 7 dom0 /root/lab/xen run -- sh -c 'exit 7'
t_check "there a script runs" prints '5 2 b c' sh -c 'lab/xen put "$1" /root/script && lab/xen run -- /root/lab/xen run /root/script a "b c"' sh "$scratch/script"
t_check "there put and get copy" dom0 sh -c 'cd /root && lab/xen put random /root/new/ && lab/xen get /root/new/random again && cmp random again'
t_check "there a guest comes up" dom0 /root/lab/xen linux-guest peer pv 10.0.0.8/24
t_check "there a port is forwarded" dom0 sh -c '
    /root/lab/xen forward 2424 10.0.0.8:24 && echo "echo reached" | nc -N -w 60 127.0.0.1 2424 | grep reached'
t_check "there it is given back" dom0 sh -c '
    /root/lab/xen forward --end 2424 || exit 1
    for i in $(seq 300); do
        nc -z -w 1 127.0.0.1 2424 || exit 0
        sleep 0.1
    done
    exit 1'
t_check "there start and stop leave the machine alone" dom0 sh -c '/root/lab/xen stop && /root/lab/xen start && xl list peer'

# --- side by side, stop, resume
other() { WISP_LAB=$scratch/labs/other lab/xen "$@"; }
t_check "a second lab starts beside the first" other start
t_check "the second is another one" sh -c "[ \$(WISP_LAB=$scratch/labs/other lab/xen run -- cat /proc/sys/kernel/random/boot_id) ] && ! WISP_LAB=$scratch/labs/other lab/xen run -- xl list peer 2>/dev/null"
t_check "the second stops" other stop
t_check "the first still runs" dom0 xl list peer
pid=$(cat "${XDG_RUNTIME_DIR:-/tmp/wisp-$(id -u)}/lab-$WISP_LAB/pid")
t_check "stop" lab stop
t_check "no QEMU is left" sh -c "! kill -0 $pid 2>/dev/null"
t_check "status of a stopped lab is 1" status_is 1 lab status
t_check "stopping twice is no error" lab stop
resumes() {
    begun=$(date +%s)
    [[ $(lab start 2>&1) == *resumed* ]]
    local status=$?
    over=$(date +%s)
    return $status
}
t_check "the next start resumes the saved state" resumes
# It was set to a time within the start, and has gone on since; either is told in whole seconds.
clock() {
    local before now after
    before=$(date +%s)
    now=$(dom0 date +%s)
    after=$(date +%s)
    [ $now -ge $((begun + before - over - 1)) ] && [ $now -le $((after + 1)) ] || { echo "$begun $over $before $now $after"; return 1; }
}
t_check "whose clock is right" clock
t_check "and whose dom0 has no guest" prints 2 sh -c 'lab/xen run -- xl list | wc -l'
t_done
