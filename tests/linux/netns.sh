# SPDX-License-Identifier: ISC
# Sourced by the scripts here, from the top of the tree and after tests/support/tap.sh: runs the script in a
# network namespace of its own, and starts applications there. Linux is 10.0.0.1, wisp 10.0.0.2.
#
#   app_start NAME PARAMETER...   starts a server on tap wisp0 and waits until it says that it listens
#   app_stop "name"               ends it; a test: its exit status was 0, and no sanitizer complained
#   app_check_capture "name"      a test: tshark finds no error in what we sent (of the last application)
#   needs COMMAND...              skips the script when one is missing
. tests/support/wait.sh
if [ -z "${WISP_NETNS-}" ]; then
    export WISP_NETNS=1
    if [ "$(id -u)" -eq 0 ] && unshare -n true 2> /dev/null; then
        exec unshare -n "$0" "$@"
    elif unshare -Urn true 2> /dev/null; then
        exec unshare -Urn "$0" "$@"
    fi
    t_skip_all "this kernel gives no network namespace"
fi
ip link set lo up
[ -w /dev/net/tun ] || t_skip_all "/dev/net/tun cannot be opened: run as root"

build=$(realpath "${WISP_BUILD_SAN:-build}")
release=$(realpath "${WISP_BUILD:-build}")
scratch=$(mktemp -d)
app_pid=
app_log=$scratch/log
app_pcap=$scratch/frames.pcap

finish() {
    [ -z "$app_pid" ] || kill "$app_pid" 2> /dev/null
    wait 2> /dev/null
    rm -rf "$scratch"
}
trap finish EXIT

needs() {
    local command
    for command in "$@"; do
        command -v "$command" > /dev/null || t_skip_all "$command is not installed"
    done
}

app_path() { # NAME or a path
    case $1 in */*) echo "$1" ;; *) echo "$build/apps/$1" ;; esac
}

app_start() {
    local program
    program=$(app_path "$1")
    shift
    rm -f "$app_pcap" "$app_log" # the last one's log says that it listens, too
    "$program" --tap=wisp0 --ipv4=10.0.0.2/24 "$@" > "$scratch/out" 2> "$app_log" &
    app_pid=$!
    until_ok grep -qE 'listening|receiving' "$app_log" || {
        cat "$app_log" >&2
        t_not_ok "the application starts: $program $*" "$(tail -1 "$app_log")"
        t_done
    }
}

# /sys shows the devices of the namespace it was mounted in, which is another one.
no_tap() {
    ! ip link show wisp0
}

app_stop() {
    local status
    kill -TERM "$app_pid" 2> /dev/null
    wait "$app_pid"
    status=$?
    app_pid=
    if [ $status -ne 0 ] || grep -qE 'ERROR: |runtime error' "$app_log"; then
        cat "$app_log" >&2
        t_not_ok "$1" "exit status $status: $(grep -m1 -E 'ERROR: |runtime error' "$app_log")"
    else
        t_ok "$1"
    fi
    until_ok no_tap
}

# Errors that tshark sees in frames of ours, the first of them. With TCP's checksums only if "sums" is given:
# with offloads they are blank where the capture is taken.
ours_with_errors() { # sums?
    local sums=FALSE
    [ "${1-}" = sums ] && sums=TRUE
    tshark -n -r "$app_pcap" -o ip.check_checksum:TRUE -o tcp.check_checksum:$sums \
        -o udp.check_checksum:$sums \
        -Y '(eth.src == 02:77:00:00:00:00/16 || ip.src == 10.0.0.2) && (_ws.expert.severity == "Error" || _ws.malformed)' \
        2> /dev/null | head -3
}

app_check_capture() { # name, sums?
    local found frames
    frames=$(tshark -n -r "$app_pcap" -Y 'ip.src == 10.0.0.2 || arp' 2> /dev/null | head -5 | wc -l)
    found=$(ours_with_errors "${2-}")
    if [ "$frames" -gt 0 ] && [ -z "$found" ]; then
        t_ok "$1"
    else
        t_not_ok "$1" "$frames frames; $found"
    fi
}

# The value of one of wisp's counters, by HTTP from slides.
counter() {
    curl -fsS --max-time 60 http://10.0.0.2/counters | sed -n "s/^$1 //p"
}
