#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# The ring's fuzzer for a short while from its corpus, with what a backend does as input: sanitizers, page canaries and
# the ledger watch. tools/fuzz runs it, and every other target, as long as one likes.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
command -v clang > /dev/null || t_skip_all "clang is not installed"
out=$(mktemp)
trap 'rm -f "$out"' EXIT
if tools/fuzz --seconds="${WISP_FUZZ_SECONDS:-20}" ring > "$out" 2>&1; then
    t_ok "the ring's fuzzer finds nothing"
else
    t_not_ok "the ring's fuzzer finds nothing" "$(tail -5 "$out" | tr '\n' ' ')"
fi
cat "$out" >&2
inputs=$(sed -nE 's/^stat::number_of_executed_units: +([0-9]+)$/\1/p' "$out")
t_check "it ran all of the corpus and more" test "${inputs:-0}" -gt "$(find fuzz/corpus/ring -type f | wc -l)"
t_check "an unknown target is told what is valid" sh -c 'tools/fuzz nothing 2>&1 | grep -q -e --list'
t_done
