#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# The deck in a browser, and ./demo --tap as the README says; tests/xen/demo.sh has the guest.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/linux/netns.sh
needs ip curl chromium python3 unshare socat setpriv

url=http://10.0.0.2
app_start slides
links() { # every page's links and resources are there
    local page target missing=0
    for page in apps/slides/deck/*.html; do
        for target in $(grep -oE '(href|src)="/[^"]*"' "$page" | sed 's/.*="//; s/"$//' | sort -u); do
            curl -fsS --max-time 60 -o /dev/null "$url$target" || { echo "$page: $target" >&2; missing=1; }
        done
        grep -nE '(href|src)="(https?:)?//' "$page" >&2 && missing=1
    done
    return $missing
}
t_check "every link and resource of the deck is there, and none is elsewhere" links
browse() { # page: its text after its scripts have run, from a browser
    timeout 200 chromium --headless --no-sandbox --disable-gpu --user-data-dir="$scratch/chromium" \
        --virtual-time-budget=3000 --dump-dom "$url/$1" 2> /dev/null
}
t_check "Chromium reads the start page, footer filled by its script" \
    sh -c "$(declare -f browse); scratch=$scratch url=$url; browse '' | grep -qE 'wisp [0-9.]+ on Linux .* frames .* pages .* no grants'"
t_check "Chromium reads the live page, its cards filled" \
    sh -c "$(declare -f browse); scratch=$scratch url=$url; browse status | grep -qE 'id=\"frames\">[0-9,]+<'"
shots=${WISP_SHOTS:-$scratch}
shot() { # page, width, height
    timeout 200 chromium --headless --no-sandbox --disable-gpu --hide-scrollbars \
        --user-data-dir="$scratch/chromium" --virtual-time-budget=3000 --window-size="$2,$3" \
        --screenshot="$shots/${1:-index}-$2.png" "$url/$1" 2> /dev/null
    # More than an empty page: a screenshot of one colour is a few kilobytes.
    [ "$(stat -c %s "$shots/${1:-index}-$2.png")" -gt 20000 ]
}
for page in "" architecture pages backend figures run status; do
    t_check "Chromium's screenshot of /$page shows something" shot "$page" 1200 900
done
t_check "Chromium's screenshot of the start page on a phone" shot "" 500 1000
app_stop "the end is orderly"

# In a build folder of its own, so that nothing built for the tests is mistaken for a clean clone's.
export WISP_BUILD=$scratch/build
t_check "./demo --tap --once fetches the deck, compares, and ends with status 0" \
    timeout 600 ./demo --tap --once --no-install
python3 -m http.server --bind 127.0.0.1 8765 > /dev/null 2>&1 &
taker=$!
until_ok listens tcp 8765
t_check "./demo --tap --port with a port that is taken is one clear line, status 1" sh -c "
    timeout 100 ./demo --tap --port=8765 --no-install 2> $scratch/err; s=\$?
    [ \$s -eq 1 ] && [ \$(wc -l < $scratch/err) -eq 1 ] && grep -q 'port 8765 is taken' $scratch/err"
kill $taker
t_check "./demo --port=x names what is valid, status 2" \
    sh -c "./demo --port=x 2> $scratch/err; [ \$? -eq 2 ] && grep -q 'a number from' $scratch/err"
t_check "./demo --nonsense names the valid options, status 2" \
    sh -c "./demo --nonsense 2> $scratch/err; [ \$? -eq 2 ] && grep -q 'valid options' $scratch/err"
# As a user who may open /dev/net/tun, as on any Debian, and nothing else; and as one who may not.
unprivileged() { # mode of /dev/net/tun
    chmod 755 "$scratch" && mkdir -p "$scratch/user" && chmod 777 "$scratch/user"
    rm -f "$scratch/tun" && mknod -m "$1" "$scratch/tun" c 10 200
    cat > "$scratch/start" <<'SH'
build=$1 port=8768 log=$(mktemp -d)
taken() { (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null; }
. tools/demo-tap
demo_start > /dev/null
status=$?
[ $status -ne 0 ] || curl -fsS --max-time 60 "http://localhost:$port/" | cmp - apps/slides/deck/index.html || status=3
demo_stop
exit $status
SH
    unshare -m sh -c 'mount --bind "$1" /dev/net/tun; shift; exec "$@"' sh "$scratch/tun" setpriv --reuid=65534 \
        --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all env TMPDIR="$scratch/user" \
        bash "$scratch/start" "$build" 2> "$scratch/err"
}
refused_in_one_line() {
    ! unprivileged 600 && [ "$(wc -l < "$scratch/err")" -eq 1 ] && grep -q 'chmod 666 /dev/net/tun' "$scratch/err"
}
if [ "$(id -u)" -ne 0 ]; then
    t_skip "what ./demo starts runs without root" "needs root to become somebody else"
elif ! setpriv --reuid=65534 --regid=65534 --clear-groups unshare -Urn true 2> /dev/null; then
    t_skip "what ./demo starts runs without root" "this kernel gives users no namespaces"
else
    t_check "what ./demo starts runs without root" unprivileged 666
    t_check "without the right to open /dev/net/tun it says in one line what to do" refused_in_one_line
fi

# Ended processes whose parent does not look after them do not count.
interrupted() {
    local pid status end=$((SECONDS + 300))
    # A shell's background job ignores SIGINT from birth; a terminal's does not.
    setsid env --default-signal=INT ./demo --tap --port=8766 --no-install > "$scratch/demo" 2>&1 &
    pid=$!
    # Each of its steps has its own patience: here it is known to have failed when it has ended.
    until grep -q 'Ctrl-C ends it' "$scratch/demo"; do
        kill -0 $pid && [ $SECONDS -lt $end ] || { kill -KILL -- -$pid; return 1; }
        sleep 0.05
    done
    curl -fsS --max-time 60 http://localhost:8766/ > /dev/null || { kill -KILL -- -$pid; return 1; }
    kill -INT -- -$pid
    (sleep 120 && kill -KILL -- -$pid) > /dev/null 2>&1 &
    wait $pid
    status=$?
    kill $! 2> /dev/null
    # A tap takes the kernel a moment to take down.
    [ $status -eq 0 ] && until_ok sh -c "! pgrep -r D,R,S,T -g $pid"
}
t_check "./demo --tap, seen at its port, ends cleanly by Ctrl-C and leaves no process" interrupted
t_done
