#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Every capture at hand: injected, in whole pages and in slots of 64 bytes, under both grant policies; and with one side
# of each flow played. The stack stays whole (no exit status but what a capture may give), and two runs give the same
# reports and the same frames: one by the sanitized build, and one by the release, which optimizes what the other
# watches. Each takes all captures in one process, the second from the last to the first: what one capture left behind
# for the next would differ. Whole pages and small slots give the same verdict of each frame, by all counters. After a
# failure each capture is run in processes of its own, to say which it is.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
tool=${WISP_BUILD_SAN:-build}/pcap-replay/pcap-replay
again=${WISP_BUILD:-build}/pcap-replay/pcap-replay
traces=${WISP_TRACES:-../shared/traces}
[ -x "$tool" ] && [ -x "$again" ] || t_skip_all "pcap-replay is not built"
[ -d "$traces" ] || t_skip_all "no captures in $traces (WISP_TRACES names them)"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# A sanitizer's exit status is none of the tool's.
export ASAN_OPTIONS=${ASAN_OPTIONS-}:exitcode=86 UBSAN_OPTIONS=${UBSAN_OPTIONS-}:exitcode=86

run_list() { # tool, list, where to, options
    local with=$1 list=$2 to=$scratch/$3
    shift 3
    rm -rf "$to"
    mkdir "$to"
    timeout 300 "$with" --format=json --stats --output="$to/%n.json" --write="$to/%n.pcap" --files-from="$list" "$@" \
        2> "$to/err"
    echo $? > "$to/status"
}

# The digests of all reports and frames in a folder, in the order of the numbers that follow.
digests() {
    (cd "$scratch/$1" && seq "${@:2}" | sed 's/.*/&.json\n&.pcap/' | xargs sha256sum | cut -d ' ' -f 1)
}

# Prints the captures whose reports or frames differ or are missing.
compare_lists() {
    local n=0 capture
    digests one 1 "$count" > "$scratch/digests"
    [ "$(wc -l < "$scratch/digests")" -eq $((2 * count)) ] &&
        digests two "$count" -1 1 | cmp -s - "$scratch/digests" && return
    while read -r capture; do
        n=$((n + 1))
        cmp -s "$scratch/one/$n.json" "$scratch/two/$((count + 1 - n)).json" &&
            cmp -s "$scratch/one/$n.pcap" "$scratch/two/$((count + 1 - n)).pcap" || echo "${capture#"$traces/"}"
    done < "$scratch/captures"
}

run_alone() { # number, tool, capture, options
    local n=$BASHPID.$1 with=$2 capture=$3
    shift 3
    timeout 120 "$with" --format=json --stats --write="$scratch/$n.pcap" "$@" "$capture" \
        > "$scratch/$n.json" 2> "$scratch/$n.err"
}

# Prints what is wrong with a capture: nothing, its exit status, or that two runs differ.
judge() { # capture, statuses allowed, options
    local capture=$1 allowed=$2 status
    shift 2
    run_alone 1 "$tool" "$capture" "$@"
    status=$?
    if [[ " $allowed " != *" $status "* ]]; then
        echo "${capture#"$traces/"}:$status"
    else
        run_alone 2 "$again" "$capture" "$@"
        cmp -s "$scratch/$BASHPID.1.json" "$scratch/$BASHPID.2.json" &&
            cmp -s "$scratch/$BASHPID.1.pcap" "$scratch/$BASHPID.2.pcap" || echo "${capture#"$traces/"}:differs"
    fi
    rm -f "$scratch/$BASHPID".*
}
export -f run_alone judge
export tool again traces scratch

whole() { # name, statuses allowed, options
    local name=$1 allowed=$2 first second different alone
    shift 2
    run_list "$tool" "$scratch/captures" one "$@" &
    run_list "$again" "$scratch/reversed" two "$@"
    wait
    first=$(cat "$scratch/one/status")
    second=$(cat "$scratch/two/status")
    different=$(compare_lists)
    if [ "$count" -gt 0 ] && [[ " $allowed " == *" $first "* ]] && [ "$first" = "$second" ] && [ -z "$different" ]; then
        t_ok "$name"
        return
    fi
    alone=$(xargs -P 2 -d '\n' -I '{}' bash -c 'judge "$@"' judge '{}' "$allowed" "$@" < "$scratch/captures" 2>&1)
    [ -n "$alone" ] || alone="only one after the other: exit $first and $second, differ or missing: $different"
    t_not_ok "$name" "of $count: ${alone//$'\n'/ }"
    tail -n 40 "$scratch/one/err" >&2
    tail -n 40 "$scratch/two/err" >&2
}

find "$traces" -name '*.pcap*' | sort > "$scratch/captures"
tac "$scratch/captures" > "$scratch/reversed"
count=$(wc -l < "$scratch/captures")
splits=0
for options in "--split=0" "--split=64" "--split=1 --persistent --queues=2"; do
    # shellcheck disable=SC2086
    whole "the stack stays whole over every capture, $options" "0 77" --mode=inject $options
    mkdir "$scratch/split$splits"
    mv "$scratch"/one/*.json "$scratch/split$splits"
    splits=$((splits + 1))
done

# The reports of injected captures, with their counters: alike but for how the frames lay in slots and pages.
verdicts() { # alike FOLDER FOLDER | parsed FOLDER
    python3 - "$scratch/captures" "$@" <<'PY'
import json, re, sys
captures, what, *folders = sys.argv[1:]
captures = open(captures).read().splitlines()
LAY = re.compile(r"slots$|grants|notified_|events$|bytes_copied$|bytes_linearised$")
def read(folder, n):
    report = json.load(open(f"{folder}/{n}.json"))
    return report, report.pop("counters", {})
bad, total = [], {}
for n, capture in enumerate(captures, 1):
    report, counters = read(folders[0], n)
    for name, value in counters.items():
        total[name] = total.get(name, 0) + value
    if what == "alike":
        other_report, other = read(folders[1], n)
        differ = [name for name in counters if counters[name] != other.get(name) and not LAY.search(name)]
        if report != other_report or differ or counters.keys() != other.keys():
            bad.append(f"{capture}: {' '.join(differ) or 'the report'}")
if what == "parsed":
    taken, delivered, own = (total[name] for name in ("ethif.rx.accepted", "ipv4.rx.delivered", "ipv4.rx.bad_source"))
    print(f"of {taken} frames that the card takes {delivered} are delivered, {own} dropped for their source", file=sys.stderr)
    if taken < 10 * len(captures) or delivered * 2 < taken or own * 20 > taken:
        bad.append("too few are parsed")
for line in bad[:10]:
    print(line, file=sys.stderr)
sys.exit(bool(bad))
PY
}
t_check "the same verdict of every frame, whole and in slots of 64 bytes" verdicts alike "$scratch/split0" "$scratch/split1"
t_check "the same verdict of every frame, whole and byte by byte" verdicts alike "$scratch/split0" "$scratch/split2"
t_check "half of what the card takes gets up to TCP, UDP and ICMP" verdicts parsed "$scratch/split0"
whole "the stack stays whole as one side of every flow" "0 1 77"
t_done
