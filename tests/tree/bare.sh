#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# The bare flavour of the whole stack, linked against mem* alone, needs nothing else; what it does need is named.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh

build=${WISP_BUILD_SAN:-build}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

undefined() { # libraries...
    # Of objects that hold both forms, the machine's: the other names less than is called.
    ld -r --whole-archive "$@" -o "$scratch/all.o" && objcopy -R '.gnu.lto_*' "$scratch/all.o" &&
        nm -u "$scratch/all.o" | awk '{print $2}'
}

allowed='^(memcpy|memmove|memset|memcmp|crypto_shorthash_siphash24)$'
# The sums in AVX2 are a library for their flags, and lie in that of base.
mapfile -t libraries < <(find "$build/stack" -name 'libwisp-*-bare.a' ! -name 'libwisp-*-avx2-bare.a' | sort)

if [ ${#libraries[@]} -eq 0 ]; then
    t_not_ok "the bare flavour is built" "no libwisp-*-bare.a below $build"
    t_done
fi
# Thin archives hold paths relative to where they lie; ld resolves them.
names=$(undefined "${libraries[@]}")
rest=$(grep -vE "$allowed" <<< "$names")
if [ -n "$names" ] && [ -z "$rest" ]; then
    t_ok "the whole stack needs mem* alone"
else
    t_not_ok "the whole stack needs mem* alone" "also wanted: $(echo $rest)"
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
