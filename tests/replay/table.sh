#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# docs/replay-results.md is what a run gives now; at least 95 of 100 complete TCP flows match; every other has its cause.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
tool=${WISP_BUILD:-build}/pcap-replay/pcap-replay
traces=${WISP_TRACES:-../shared/traces}
[ -x "$tool" ] || t_skip_all "pcap-replay is not built"
[ -d "$traces" ] || t_skip_all "no captures in $traces (WISP_TRACES names them)"
t_check "docs/replay-results.md holds" tools/replay-results "$tool" "$traces" --check
t_done
