#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# The fuzzers of the DHCP client and the resolver for a short while from their corpora.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
command -v clang > /dev/null || t_skip_all "clang is not installed"
for target in dhcp dns; do
    t_check "the fuzzer of $target finds nothing" tools/fuzz --seconds="${WISP_FUZZ_SECONDS:-15}" $target
done
t_done
