#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# --pcap where there is no space: one line that says so, status 1, whenever it shows: while frames come, or at the end.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/linux/netns.sh
needs ip nc ping

# The one line behind the application's own log, and the status.
ends() { # status, text: the application, which is asked to end if it has not
    local status line
    until_ok gone || kill -KILL "$app_pid"
    wait "$app_pid"
    status=$?
    app_pid=
    line=$(grep -v '^\[' "$app_log")
    until_ok no_tap
    [ $status -eq "$1" ] && [ "$(grep -c . <<< "$line")" -eq 1 ] && grep -qE -e "$2" <<< "$line" && return 0
    echo "status $status: $line" >&2
    return 1
}
gone() {
    ! kill -0 "$app_pid" 2> /dev/null || [ "$(cut -d ' ' -f 3 "/proc/$app_pid/stat")" = Z ]
}
no_space='^[a-z]*: --pcap=[^ ]*: No space left on device: make room there, or name another file$'

app_start echo --pcap=/dev/full
ping -c 1 10.0.0.2 > /dev/null
kill -TERM "$app_pid"
t_check "a few frames, full: told at the end, status 1" ends 1 "$no_space"

app_start echo --pcap=/dev/full
ping -c 20 -i 0.01 -s 1400 10.0.0.2 > "$scratch/ping" 2>&1
until_ok gone
t_check "many frames, full: it does not wait for its end" gone
kill -TERM "$app_pid" 2> /dev/null
t_check "but says so at once, status 1" ends 1 "$no_space"

t_check "a ping that succeeds has failed all the same if its capture is not whole" eval '
    "$build/apps/ping" --ipv4=10.0.0.2/24 --count=1 --pcap=/dev/full 10.0.0.1 > "$scratch/out" 2> "$scratch/err"
    [ $? -eq 1 ] && [ "$(wc -l < "$scratch/err")" -eq 1 ] && grep -qE "$no_space" "$scratch/err"'
until_ok no_tap

# A real file system that fills up, in a mount namespace of its own.
mkdir "$scratch/small"
full() {
    rm -f "$app_log" # the last one's says that it listens, too
    # shellcheck disable=SC2016
    unshare -m sh -c 'mount -t tmpfs -o size=32k none "$1" && exec "$2" --tap=wisp0 --ipv4=10.0.0.2/24 "--pcap=$1/file"' \
        sh "$scratch/small" "$build/apps/echo" > "$scratch/out" 2> "$app_log" &
    app_pid=$!
    until_ok grep -q listening "$app_log" || return 77
    ping -c 60 -i 0.01 -s 1400 10.0.0.2 > "$scratch/ping" 2>&1
    until_ok gone
    ends 1 "$no_space"
}
if unshare -m sh -c "mount -t tmpfs -o size=32k none '$scratch/small'" 2> /dev/null; then
    t_check "a file system of 32 KB that fills up" full
else
    t_skip "a file system of 32 KB that fills up" "this kernel gives no mount namespace"
fi

# A limit of the file's size is an error of the write, not the end by SIGXFSZ.
limited() {
    rm -f "$app_log"
    (ulimit -f 16 && exec "$build/apps/echo" --tap=wisp0 --ipv4=10.0.0.2/24 "--pcap=$scratch/limited") \
        > "$scratch/out" 2> "$app_log" &
    app_pid=$!
    until_ok grep -q listening "$app_log"
    ping -c 60 -i 0.01 -s 1400 10.0.0.2 > "$scratch/ping" 2>&1
    until_ok gone
    ends 1 '^echo: --pcap=[^ ]*: File too large: make room there, or name another file$'
}
t_check "a file at its limit" limited

app_start echo "--pcap=$app_pcap"
ping -c 1 10.0.0.2 > /dev/null
app_stop "where there is space the status is 0"
t_done
