#!/bin/bash
# SPDX-License-Identifier: ISC
# docs/size.md says what the build weighs; and the check finds a figure that does not.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
: "${WISP_BUILD:=build}"

[ -f "$WISP_BUILD/apps/slides.parts.map" ] || t_skip_all "no images built: they need libxen-dev, musl-dev, libsodium-dev"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Another compiler makes other figures: the document is about the one it names.
if grep -q 'GCC: (Debian 12\.2' "$WISP_BUILD/apps/slides.p/"*.o "$WISP_BUILD"/apps/*.a.p/*.o 2> /dev/null; then
    t_check "docs/size.md is what the build weighs" tools/size-table --check "$WISP_BUILD/apps"
else
    t_skip "docs/size.md is what the build weighs" "its figures are gcc 12.2's"
fi

# What no module explains is headers less final zeros: more than 2 KiB of it, and the reading of the maps misses some.
rest=$(tools/size-table --docs "$WISP_BUILD/apps" | awk -F'|' '/headers, less/ { print $3 + 0 }')
if [ "${rest#-}" -le 2048 ]; then
    t_ok "slides: its modules explain the file"
else
    t_not_ok "slides: its modules explain the file" "all but $rest bytes"
fi

mkdir -p "$scratch/tools" "$scratch/docs"
cp tools/size-table "$scratch/tools/"
sed 's/^| tcp | [0-9]*/| tcp | 99999/' docs/size.md > "$scratch/docs/size.md"
if "$scratch/tools/size-table" --check "$WISP_BUILD/apps" | grep -q 'slides: tcp is [0-9]* bytes, docs/size.md says 99999'; then
    t_ok "a wrong figure is found"
else
    t_not_ok "a wrong figure is found"
fi

t_done
