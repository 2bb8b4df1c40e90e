#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# wrk with 256 connections, ab without keep-alive (ports reused, TIME-WAIT): no error, nothing left behind.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/linux/netns.sh
needs ip curl wrk ab
build=$release

url=http://10.0.0.2
app_start slides
no_errors() { # wrk's output
    ! grep -E 'Socket errors|Non-2xx' "$1" && grep -q 'Requests/sec' "$1"
}
# A request that takes two seconds is an error to wrk, and may be but a machine that stalled: nine seconds are none. It
# runs for three longer, so that what is asked for in the first three and never answered is told.
wrk -t2 -c256 -d12s --timeout 9s --latency $url/style.css > "$scratch/wrk" 2>&1
grep -E 'Requests/sec|Transfer|99%' "$scratch/wrk" | sed 's/^/# wrk, 256 connections: /'
t_check "wrk, 256 connections: no error" no_errors "$scratch/wrk"
wrk -t1 -c1 -d2s --timeout 9s --latency $url/wisp.svg > "$scratch/wrk" 2>&1
grep -E 'Requests/sec|50%' "$scratch/wrk" | sed 's/^/# wrk, 1 connection: /'
t_check "wrk, 1 connection, 2 s: no error" no_errors "$scratch/wrk"

# ab closes first in half of the cases; a port that is reused meets our TIME-WAIT.
sysctl -qw net.ipv4.ip_local_port_range="40000 42000" 2> /dev/null
ab -q -n 20000 -c 50 $url/wisp.svg > "$scratch/ab" 2>&1
grep -E 'Requests per second|Complete|Failed' "$scratch/ab" | sed 's/^/# ab: /'
t_check "ab, 20000 connections over 2000 ports: all complete, none failed" \
    sh -c "grep -q 'Complete requests: *20000' '$scratch/ab' && grep -q 'Failed requests: *0' '$scratch/ab'"
ab -q -k -n 20000 -c 50 $url/wisp.svg > "$scratch/ab" 2>&1
t_check "ab with keep-alive, 20000 requests: none failed" \
    sh -c "grep -q 'Complete requests: *20000' '$scratch/ab' && grep -q 'Failed requests: *0' '$scratch/ab'"
settled() {
    curl -fsS $url/status.json | grep -q '"connections": 1,'
}
t_check "afterwards no connection is left but the one that asks" until_ok settled
t_check "nothing was refused for lack of pages" \
    sh -c "curl -fsS $url/status.json | grep -q '\"pages_refused\": 0'"
app_stop "the end is orderly"
t_done
