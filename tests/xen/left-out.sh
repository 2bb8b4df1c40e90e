#!/bin/bash
# SPDX-License-Identifier: ISC
# meson setup says whether there will be images and, if not, for want of what.
# shellcheck disable=SC2317 # functions called through t_check
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
command -v meson > /dev/null || t_skip_all "no meson"
[ "$(uname -m)" = x86_64 ] || t_skip_all "images are for x86-64"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
musl=/usr/lib/x86_64-linux-musl/libc.a

says() { # pattern, command...
    local pattern=$1
    shift
    timeout 300 "$@" > "$scratch/log" 2>&1
    grep -E "Xen images *: $pattern" "$scratch/log" || { tail -n 5 "$scratch/log"; return 1; }
}
t_check "without Xen: left out, and how to have them" says 'left out, for want of -Dxen=auto$' \
    meson setup "$scratch/without" -Dxen=disabled
if [ -f $musl ]; then
    t_check "with all there is: where they will be" says 'build/apps/NAME.xen$' meson setup "$scratch/all"
    if unshare -rm true 2> /dev/null; then
        # shellcheck disable=SC2016 # for the shell in there
        t_check "without musl: left out for want of musl-dev" says 'left out, for want of musl-dev$' \
            unshare -rm sh -c 'mount --bind /dev/null "$1" && meson setup "$2"' sh $musl "$scratch/no-musl"
    else
        t_skip "without musl: left out for want of musl-dev" "no mount namespace to hide it in"
    fi
fi
t_done
