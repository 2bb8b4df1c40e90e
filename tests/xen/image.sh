#!/bin/bash
# SPDX-License-Identifier: ISC
# What can be said of an image without booting it: its segments, its notes, its instructions, its size, and that
# what an application does not use is not in it.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
: "${WISP_BUILD:=build}"

shopt -s nullglob
images=("$WISP_BUILD"/tests/xen/*.xen "$WISP_BUILD"/apps/*.xen)
[ ${#images[@]} -gt 0 ] || t_skip_all "no images built: they need libxen-dev, musl-dev, libsodium-dev"

# Whether the names of the symbols in an image match a pattern.
holds() {
    nm "$1.debug" | grep -qE " [a-zA-Z] $2"
}

no_segment_both() {
    ! readelf -lW "$1" | grep LOAD | grep -q 'RWE'
}

both_entries() {
    readelf -nW "$1.debug" 2> /dev/null | grep -c '^  Xen' | grep -qx 10 &&
        nm "$1.debug" | grep -q ' T wisp_boot_pvh$' && nm "$1.debug" | grep -q ' T wisp_boot_pv$'
}

# In .text: no write to a control register or MSR, no load of a descriptor table. (.boot, which has them, is unmapped.)
no_privileged_instruction() {
    ! objdump -d --no-show-raw-insn -j .text "$1.debug" |
        grep -E '[[:space:]](mov +%[a-z0-9]+,%(cr|db)[0-9]|wrmsr|xsetbv|lgdt|lidt|lldt|ltr|invlpg|invd|wbinvd|clts|lmsw|in |out |wrfsbase)' >&2
}

# A system call in a PV guest is a hypercall: none is left in .text, as a C library's stdio would bring them. The
# selftest is excepted: it names musl's snprintf, whose locks hold some.
no_system_call() {
    ! objdump -d --no-show-raw-insn -j .text "$1.debug" |
        grep -E '[[:space:]](syscall|sysenter|vmcall|vmmcall|int +\$0x8[02])' >&2
}

# Only segments, each without zeros at its end, one behind the other.
dense() {
    readelf -hW "$1" | grep -q 'Number of section headers: *0$' || return 1
    local loaded
    loaded=$(($(readelf -lW "$1" | awk '/LOAD/ { print "+" $5 }' | tr -d '\n')))
    [ $(($(stat -c %s "$1") - loaded)) -le 512 ]
}

# What is loaded is what was linked: the same addresses and access.
same_segments() {
    local list='/LOAD/ { print $3, $4, $6, $7 $8 }'
    [ "$(readelf -lW "$1" | sed 's/ 0x[0-9a-f]*$//' | awk "$list")" = \
        "$(readelf -lW "$1.debug" | sed 's/ 0x[0-9a-f]*$//' | awk "$list")" ]
}

boot_has_them() {
    objdump -d --no-show-raw-insn -j .boot "$1.debug" | grep -qE 'wrmsr|%cr3'
}

for image in "${images[@]}"; do
    name=$(basename "$image")
    t_check "$name: no segment is writable and executable" no_segment_both "$image"
    t_check "$name: starts as PV and as PVH" both_entries "$image"
    t_check "$name: what stays writes no control register" no_privileged_instruction "$image"
    t_check "$name: what goes does (so the search finds them)" boot_has_them "$image"
    if [ "$name" = selftest.xen ]; then
        t_check "$name: musl's locks hold system calls (so the search finds them)" eval "! no_system_call '$image' 2> /dev/null"
    else
        t_check "$name: makes no system call" no_system_call "$image"
    fi
    t_check "$name: the file holds what is loaded and no more" dense "$image"
    t_check "$name: is loaded as it was linked" same_segments "$image"
done

# Who asks only with ICMP, or speaks only UDP, holds no TCP; a selftest without a network holds no driver.
for name in ping-fixed; do
    image=$WISP_BUILD/apps/$name.xen
    [ -f "$image" ] || continue
    if holds "$image" wisp_tcp_ || holds "$image" wisp_udp_ || holds "$image" wisp_dhcp_ || holds "$image" http_parser_; then
        t_not_ok "$name: with an address of its own it holds neither TCP, UDP nor DHCP" \
            "$(nm "$image.debug" | grep -E ' (wisp_tcp|wisp_udp|wisp_dhcp|http_parser)_' | head -3)"
    else
        t_ok "$name: with an address of its own it holds neither TCP, UDP nor DHCP"
    fi
    t_check "ping: asking the network, it holds DHCP (so the search finds it)" holds "$WISP_BUILD/apps/ping.xen" wisp_dhcp_
done
if holds "$WISP_BUILD/tests/xen/selftest.xen" wisp_netfront_ || holds "$WISP_BUILD/tests/xen/selftest.xen" wisp_ipv4_; then
    t_not_ok "selftest: holds no driver and no stack" "it does"
else
    t_ok "selftest: holds no driver and no stack"
fi

# Parameters fixed at build time: no parser, no help text; and what only they could ask for is gone with them.
image=$WISP_BUILD/apps/echo-udp.xen
if [ -f "$image" ]; then
    if holds "$image" wisp_params_ || grep -qaE 'no such parameter|print the version' "$image"; then
        t_not_ok "echo-udp: fixed parameters leave no parser" "$(nm "$image.debug" | grep wisp_params_)"
    else
        t_ok "echo-udp: fixed parameters leave no parser"
    fi
    if holds "$image" wisp_tcp_ || ! holds "$image" wisp_udp_; then
        t_not_ok "echo-udp: with UDP alone no TCP symbol" "$(nm "$image.debug" | grep wisp_tcp_ | head -3)"
    else
        t_ok "echo-udp: with UDP alone no TCP symbol"
    fi
    t_check "echo: with its parameters open it holds both and the parser (so the search finds them)" \
        eval 'grep -qa "no such parameter" "$WISP_BUILD/apps/echo.xen" && holds "$WISP_BUILD/apps/echo.xen" wisp_tcp_'
fi

# The linker refuses an image in which what stays leads into what is gone; linked as one, too.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
crosses() { # what stays, flags...
    cat > "$scratch/cross.c" << EOF
__attribute__((section(".boot.text"), noinline)) void wisp_boot_pv(void) { __asm__ volatile("wbinvd"); }
__attribute__((section(".boot.exit"), used)) static const char last[16] = {1};
__attribute__((section(".text.first"), used)) static void stays(void) { $1; }
EOF
    gcc -O2 -ffreestanding -fno-pic -fno-asynchronous-unwind-tables "${@:2}" "$scratch/cross.c" -nostdlib -static -no-pie \
        -Wl,--no-warn-rwx-segments -Wl,--build-id=none -Wl,-T,unikernel/image.lds -o "$scratch/cross" 2>&1
}
for how in -fno-lto -flto; do
    refused=$(crosses 'wisp_boot_pv()' $how)
    taken=$(crosses ';' $how)
    case $taken/$refused in
        /*"prohibited cross reference"*) t_ok "$how: the linker refuses a call from what stays to the boot" ;;
        *) t_not_ok "$how: the linker refuses a call from what stays to the boot" "$(printf '%s / %s' "$taken" "$refused" | tr '\n' ' ')" ;;
    esac
done

image=$WISP_BUILD/apps/slides.xen
if [ -f "$image" ]; then
    # The deck's files lie in .rodata.site or in symbols of their own; all else is the image.
    deck=$(nm -S "$image.debug" | awk '$4 ~ /^slides_site_file/ { n += 1 } END { print n + 0 }')
    size=$(stat -c %s "$image")
    pages=$(find apps/slides/deck -type f -printf '%s\n' | awk '{ n += int(($1 + 4095) / 4096) * 4096 } END { print n + 0 }')
    # The goal is 150 KB, where the compiler links as one (gcc, release); module by module it is larger.
    most=153600
    [ -f "$WISP_BUILD/apps/slides.parts" ] || most=163840
    if [ $((size - pages)) -le $most ]; then
        t_ok "slides: at most $most bytes without the deck"
    else
        t_not_ok "slides: at most $most bytes without the deck" "$((size - pages)) of $size, $deck files"
    fi
fi

t_done
