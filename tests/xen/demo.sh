#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# ./demo as the README says: the slides as a Xen guest that got its address by DHCP, fetched by curl and read by a
# browser at a port of this machine; and each way it can fail.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
for tool in curl chromium python3; do
    command -v $tool > /dev/null || t_skip_all "no $tool"
done
[ "$(uname -m)" = x86_64 ] || t_skip_all "images are for x86-64"
WISP_LAB= lab/xen build > /dev/null 2>&1 || [ $? != 77 ] || t_skip_all "the lab lacks packages"
unset WISP_LAB # each demo has a lab of its own

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
port=$((20000 + $$ % 12000)) # below those that the kernel gives to who asks for none

within() { # SECONDS COMMAND...: tried again until it succeeds
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.2
    done
}

# says PATTERN COMMAND...: status 1 and one line on standard error that matches
says() {
    local pattern=$1 status=0
    shift
    "$@" > "$scratch/out" 2> "$scratch/err" < /dev/null || status=$?
    [ $status = 1 ] && [ "$(wc -l < "$scratch/err")" = 1 ] && grep -q -- "$pattern" "$scratch/err" && return
    echo "status $status, standard error:"; cat "$scratch/err"
    return 1
}

t_check "--once ends with status 0" sh -c "timeout 300 ./demo --once --no-install --port=$port > $scratch/once 2>&1"
cat "$scratch/once" >&2
all_same() { [ "$(grep -c '^  same ' "$scratch/once")" = "$(find apps/slides/deck -type f | wc -l)" ]; }
t_check "it found every file the same" all_same
t_check "served by Xen" grep -q 'bytes, by Xen 4' "$scratch/once"
t_check "whose address came by DHCP" grep -qE 'net +10\.0\.0\.1[0-9]+/24 .*\(DHCP\)' "$scratch/once"
t_check "and that copied nothing" grep -qE 'copied by the driver +0 bytes' "$scratch/once"
t_check "it says how large the image is" grep -qE "image +$(stat -c %s "${WISP_BUILD:-build}/apps/slides.xen") bytes" "$scratch/once"
t_check "how long it took to boot" grep -qE 'boot +[0-9.]+ s .*; [0-9]+ ms from xl create' "$scratch/once"
t_check "and its memory" grep -qE 'memory +16 MiB' "$scratch/once"
no_lab() { ! pgrep -f "lab-demo-$port" && [ ! -s "${XDG_RUNTIME_DIR:-/tmp/wisp-$(id -u)}/lab-demo-$port/pid" ]; }
t_check "no lab is left" no_lab

taken() {
    python3 -m http.server --bind 127.0.0.1 $port > /dev/null 2>&1 &
    local server=$!
    within 60 curl -fs -o /dev/null "http://127.0.0.1:$port/"
    says "port $port is taken" ./demo --port=$port --no-install
    local status=$?
    kill $server
    wait $server 2> /dev/null
    return $status
}
t_check "a port that is taken: one line, status 1" taken
t_check "no QEMU: one line says what to install" \
    says 'apt-get install qemu-system-x86' env WISP_QEMU=/nosuch ./demo --port=$port --no-install

# A shell's background job ignores SIGINT from birth; a terminal's does not.
setsid env --default-signal=INT ./demo --port=$port --no-install > "$scratch/demo" 2>&1 &
demo=$!
t_check "without --once it says where the slides are" within 300 grep -q 'Ctrl-C ends it' "$scratch/demo"
cat "$scratch/demo" >&2
url=http://localhost:$port
browse() { # page: its text after its scripts have run
    timeout 200 chromium --headless --no-sandbox --disable-gpu --disable-background-networking \
        --user-data-dir="$scratch/chromium" --virtual-time-budget=3000 --dump-dom "$url/$1" 2> /dev/null
}
footer() { browse "" | grep -E 'wisp [0-9.]+ on Xen 4.* up .* frames .* pages .* grants, .* open .* 0 payload bytes copied'; }
t_check "Chromium reads in the footer what serves it: Xen, frames, pages, grants, no copies" footer
cards() {
    browse status > "$scratch/status"
    grep -E 'id="platform">wisp [0-9.]+ on Xen 4[^<]*, at 10\.0\.0\.1' "$scratch/status" &&
        grep -E 'id="grants">[0-9,]+<' "$scratch/status" && grep -E 'id="copied">0<' "$scratch/status"
}
t_check "and on the live page the same" cards
many() { curl -fsS --max-time 120 --parallel --parallel-max 12 $(printf "$url/?%s -o /dev/null " $(seq 60)); }
t_check "sixty requests, twelve at once" many
interrupted() {
    kill -INT -- -$demo
    wait $demo
    [ $? = 0 ] && within 60 no_lab && ! (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null
}
t_check "Ctrl-C ends it with status 0, and the lab and the port with it" interrupted

# In the middle of its start, too.
early() {
    setsid env --default-signal=INT ./demo --port=$port --no-install > "$scratch/demo" 2>&1 &
    local early=$!
    within 60 test -s "${XDG_RUNTIME_DIR:-/tmp/wisp-$(id -u)}/lab-demo-$port/pid" || return 1
    kill -INT -- -$early
    wait $early
    [ $? = 0 ] && within 60 no_lab
}
t_check "Ctrl-C while the lab starts ends that, too" early
t_done
