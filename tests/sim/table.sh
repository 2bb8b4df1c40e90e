#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# docs/sim.md, throughput by loss and round trip in virtual time, is what a run gives now.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
t_check "docs/sim.md holds" tools/sim-table --check "${WISP_BUILD:-build}"
t_done
