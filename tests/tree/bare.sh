#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# The bare flavour of the whole stack, linked with mem* alone, needs nothing else; what else it would need is named.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh

build=${WISP_BUILD_SAN:-build}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# What the stack may ask for, and a start.
cat > "$scratch/mem.c" <<'EOF'
#include <stddef.h>
void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    for (size_t i = 0; i < n; i++) { ((char *)to)[i] = ((const char *)from)[i]; }
    return to;
}
void *memmove(void *to, const void *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = to < from ? i : n - 1 - i;
        ((char *)to)[at] = ((const char *)from)[at];
    }
    return to;
}
void *memset(void *to, int byte, size_t n)
{
    for (size_t i = 0; i < n; i++) { ((char *)to)[i] = (char)byte; }
    return to;
}
int memcmp(const void *a, const void *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int d = ((const unsigned char *)a)[i] - ((const unsigned char *)b)[i];
        if (d) { return d; }
    }
    return 0;
}
EOF
echo '__attribute__((noreturn)) void _start(void) { for (;;) { } }' > "$scratch/start.c"
for part in mem start; do
    gcc -O2 -ffreestanding -fno-builtin -fno-tree-loop-distribute-patterns -fno-stack-protector -fno-pic -c \
        "$scratch/$part.c" -o "$scratch/$part.o" || t_skip_all "gcc makes no object"
done

# The sums in AVX2 are a library for their flags, and lie in that of base. Thin archives hold paths relative to where
# they lie; ld resolves them.
mapfile -t libraries < <(find "$build/stack" -name 'libwisp-*-bare.a' ! -name 'libwisp-*-avx2-bare.a' | sort)
if [ ${#libraries[@]} -eq 0 ]; then
    t_not_ok "the bare flavour is built" "no libwisp-*-bare.a below $build"
    t_done
fi

# Links all of the libraries with objects, and nothing of the system, to a static program; prints what is missing.
missing() { # objects...
    local status
    # Of objects that hold both forms, the machine's: the other names less than is called.
    gcc -nostdlib -static -no-pie -fno-lto -Wl,--no-warn-rwx-segments -o "$scratch/stack" "$@" \
        -Wl,--whole-archive "${libraries[@]}" -Wl,--no-whole-archive 2> "$scratch/link"
    status=$?
    sed -nE "s/.*undefined reference to .([^']*)'.*/\1/p" "$scratch/link" | sort -u | xargs
    return $status
}

if names=$(missing "$scratch/start.o" "$scratch/mem.o"); then
    t_ok "the whole stack links with mem* alone"
else
    t_not_ok "the whole stack links with mem* alone" "also wanted: $names; $(head -1 "$scratch/link")"
fi
holds() {
    local name
    nm "$scratch/stack" > "$scratch/names" || return 1
    for name in wisp_stack_poll wisp_tcp_listen wisp_udp_open wisp_dhcp_run_step wisp_dns_run_step wisp_sum_avx2; do
        grep -q " T $name\$" "$scratch/names" || { echo "no $name" >&2; return 1; }
    done
}
t_check "the program holds the stack" holds
t_check "and wants neither a loader nor a library" \
    sh -c "! readelf -lW '$scratch/stack' | grep -qE 'INTERP|DYNAMIC'"
# Without mem* the link names all four, and so it would name anything else.
names=$(missing "$scratch/start.o")
if [ "$names" = "memcmp memcpy memmove memset" ]; then
    t_ok "without mem* the link names these four"
else
    t_not_ok "without mem* the link names these four" "it names: $names"
fi

for library in "${libraries[@]}"; do
    name=$(basename "$library")
    if nm "$library" 2> /dev/null | grep -qE '__asan|__ubsan|__stack_chk'; then
        t_not_ok "$name holds no sanitizer or stack protector"
    else
        t_ok "$name holds no sanitizer or stack protector"
    fi
done
t_done
