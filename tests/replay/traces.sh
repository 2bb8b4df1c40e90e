#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Every capture at hand, injected: frames in whole pages and in slots of 64 bytes, under both grant policies. The stack
# stays whole (exit 0, or 77 where nothing applies), and two runs give the same report and the same frames.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
tool=${WISP_BUILD_SAN:-build}/pcap-replay/pcap-replay
traces=${WISP_TRACES:-../shared/traces}
[ -x "$tool" ] || t_skip_all "pcap-replay is not built"
[ -d "$traces" ] || t_skip_all "no captures in $traces (WISP_TRACES names them)"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

inject() { # number, capture, options
    local n=$1 capture=$2
    shift 2
    timeout 120 "$tool" --mode=inject --format=json --stats --write="$scratch/$n.pcap" "$@" "$capture" \
        > "$scratch/$n.json" 2> "$scratch/$n.err"
    status=$?
}

for options in "--split=0" "--split=64" "--split=1 --persistent --queues=2"; do
    bad=
    count=0
    while IFS= read -r capture; do
        # shellcheck disable=SC2086
        inject 1 "$capture" $options
        count=$((count + 1))
        if [ $status -ne 0 ] && [ $status -ne 77 ]; then
            bad="$bad ${capture#"$traces/"}:$status"
            continue
        fi
        [ "$options" = "--split=64" ] || continue
        # shellcheck disable=SC2086
        inject 2 "$capture" $options
        cmp -s "$scratch/1.json" "$scratch/2.json" && cmp -s "$scratch/1.pcap" "$scratch/2.pcap" ||
            bad="$bad ${capture#"$traces/"}:differs"
    done < <(find "$traces" -name '*.pcap*' | sort)
    if [ -z "$bad" ] && [ $count -gt 0 ]; then
        t_ok "the stack stays whole over every capture, $options"
    else
        t_not_ok "the stack stays whole over every capture, $options" "of $count:$bad"
    fi
done
t_done
