#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Tools that need arguments say which, on standard error, with status 2.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
asks() {
    local status said
    said=$(timeout 20 "tools/$1" 2>&1 > /dev/null < /dev/null)
    status=$?
    [ $status -eq 2 ] && grep -q "^usage: .*${1##*/}" <<< "$said" && return 0
    printf 'status %d: %s\n' $status "$said" >&2
    return 1
}
for tool in demo-fetch demo-guest embed install meson-tap pack-image replay-results size-table; do
    t_check "$tool without arguments says how it is used, with status 2" asks $tool
done
t_done
