#!/bin/bash
# SPDX-License-Identifier: ISC
# The sources are as .clang-format has them (Debian 12's clang-format, 14).
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
command -v clang-format > /dev/null || t_skip_all "no clang-format"
mapfile -t sources < <(find apps bench fuzz include netdev pcap-replay platform stack tap tests unikernel xen-netfront lab \
    -name '*.[ch]' | sort)
t_check "there are sources" [ ${#sources[@]} -gt 300 ]
wrong=$(clang-format --dry-run "${sources[@]}" 2>&1 | sed -n 's/: warning: code should be clang-formatted.*//p' | head -3)
if [ -z "$wrong" ]; then
    t_ok "each is formatted"
else
    t_not_ok "each is formatted" "clang-format -i FILE: $(echo "$wrong" | tr '\n' ' ')"
fi
t_done
