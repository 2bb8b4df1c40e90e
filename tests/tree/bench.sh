#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# wisp-bench --json has the form that docs/bench.md tells; and wrong options are one line, status 2. Nothing is timed.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
bench=${WISP_BUILD:-build}/bench/wisp-bench
[ -x "$bench" ] || t_skip_all "no wisp-bench here: it needs liblwip-dev and libjansson-dev"
command -v python3 > /dev/null || t_skip_all "python3 is not installed"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

t_check "it runs" sh -c "timeout 600 '$bench' --json --quick --rounds=1 rr1 bulk1500-nosum idle-mem crr-0 crr-1000 \
    scale-rr-1 scale-rr-100 netfront-pps-16 netfront-pps-32 netfront-gso > '$scratch/json'"
judge() { # Python that says what must hold of `all` and of `by`, results by name
    python3 - "$scratch/json" <<PY
import json, sys
all = json.load(open(sys.argv[1]))
by = {r["name"]: r for r in all["results"]}
$1
PY
}
t_check "one object with environment and results" judge \
    'assert list(all) == ["environment", "results"] and all["environment"] and len(by) == len(all["results"])'
t_check "each result has the seven members, and at most what was counted beside" judge '
for r in all["results"]:
    assert list(r)[:7] == ["name", "unit", "wisp", "lwip", "floor", "spread", "runs"], r
    assert list(r)[7:] in ([], ["counted"]), r'
t_check "the unit is ns or B" judge '
assert {r["unit"] for r in all["results"]} == {"ns", "B"} and by["idle-mem"]["unit"] == "B"'
t_check "what a peer cannot do is null, all else a number" judge '
for r in all["results"]:
    assert r["wisp"] > 0 and r["spread"] >= 0 and r["runs"] == 1, r
assert by["bulk1500-nosum"]["lwip"] is None and by["bulk1500-nosum"]["floor"] > 0
assert by["rr1"]["lwip"] > 0 and by["netfront-pps-16"]["lwip"] is None and by["netfront-pps-16"]["floor"] > 0
assert by["idle-mem"]["floor"] is None'
t_check "crr, scale-rr and netfront-pps are the largest count that was run" judge '
for family, largest in (("crr", "crr-1000"), ("scale-rr", "scale-rr-100"), ("netfront-pps", "netfront-pps-32")):
    assert dict(by[family], name=largest) == by[largest], family
assert "netfront" not in by and "bulk1500" not in by'

refuses() { # text, options...
    local text=$1
    shift
    "$bench" "$@" > "$scratch/out" 2> "$scratch/err"
    [ $? -eq 2 ] && [ "$(wc -l < "$scratch/err")" -eq 1 ] && grep -qF -e "$text" "$scratch/err"
}
t_check "--rounds of nonsense" refuses "--rounds takes 1 to" --rounds=7x
t_check "--rounds of nothing" refuses "--rounds takes 1 to" --rounds=0
t_check "--units of nonsense" refuses "--units takes a number from 1" --units=-1
t_check "--peer of no known kind" refuses "--peer takes wisp, lwip or floor" --peer=tcp
t_check "a job that is none" refuses "no job 'nothing'" nothing
t_done
