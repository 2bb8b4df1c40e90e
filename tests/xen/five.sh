#!/bin/bash
# SPDX-License-Identifier: ISC
# docs/lab.md's "Five minutes", word for word but for the port and the build directory; and what it says of nc.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
export WISP_LAB=${WISP_LAB:-test}-five # of its own: the block stops it
. tests/xen/lab.sh
command -v curl > /dev/null || t_skip_all "no curl"

lab_open "$WISP_BUILD/apps/slides.xen"
lab/xen stop
scratch=$(mktemp -d)
trap 'lab/xen stop 2> /dev/null; rm -rf "$scratch"' EXIT
port=$((20000 + $$ % 12000)) # below those that the kernel gives to who asks for none
sed -n '/^## Five minutes/,/^## Commands/s/^\$ //p' docs/lab.md |
    sed "s|8080|$port|; s|build/|${WISP_BUILD%/}/|g" > "$scratch/lines"
t_check "the block begins, serves and ends" [ "$(grep -cE '^(lab/xen start|curl .*status.json|lab/xen stop)' "$scratch/lines")" = 3 ]

# A person leaves the console once it has shown what the guest said.
leaves_console() { # line
    mkfifo "$scratch/keys"
    timeout 100 bash -c "$1" < "$scratch/keys" > "$scratch/out" 2>&1 &
    local console=$!
    exec 6> "$scratch/keys"
    for _ in $(seq 300); do
        ! grep -q 'slides ' "$scratch/out" || break
        sleep 0.2
    done
    printf '\035' >&6
    wait $console
    local status=$?
    exec 6>&-
    return $status
}

while read -r line <&4; do
    name=${line%%  *}
    case $line in
        *console*) leaves_console "$line" ;;
        *) timeout 200 bash -c "$line" > "$scratch/out" 2>&1 < /dev/null ;;
    esac
    status=$?
    case $line in
        curl*) grep -q '"platform": "Xen' "$scratch/out" || status="$status, no page" ;;
        *"xl list") grep -q '^Domain-0 ' "$scratch/out" || status="$status, no list" ;;
    esac
    if [ "$status" = 0 ]; then
        t_ok "${name//$port/8080}"
    else
        t_not_ok "${name//$port/8080}" "status $status: $(tr '\r\n' '  ' < "$scratch/out")"
    fi
done 4< "$scratch/lines"

lab/xen start >&2
t_check "dom0's nc is OpenBSD's" lab/xen run -- sh -c 'nc -h 2>&1 | grep OpenBSD && nc -N -h 2>&1 | grep OpenBSD'
t_check "and behind busybox's timeout by its path" lab/xen run -- timeout 60 sh -c '/usr/bin/nc -N -h 2>&1 | grep OpenBSD'
t_done
