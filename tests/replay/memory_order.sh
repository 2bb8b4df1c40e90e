#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# The ring between two threads: ten million slots under ThreadSanitizer, and a hundred million at full speed.
# WISP_SLOTS=1000000000 tests/replay/memory_order.sh passes a billion at full speed.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
export CK_FORK=no
tsan=build-test/tsan

build_tsan() {
    [ -f "$tsan/build.ninja" ] ||
        meson setup "$tsan" -Dbuildtype=debugoptimized -Db_sanitize=thread -Db_lundef=false || return 1
    ninja -C "$tsan" tests/test_memory_order
}

run_slots() { # program, slots
    WISP_SLOTS=$2 TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1 "$1"
}

if build_tsan 1>&2; then
    t_check "ten million slots under ThreadSanitizer" run_slots "$tsan/tests/test_memory_order" 10000000
else
    t_not_ok "ten million slots under ThreadSanitizer" "it does not build"
fi
release=${WISP_BUILD:-build}/tests/test_memory_order
if [ -x "$release" ]; then
    slots=${WISP_SLOTS:-100000000}
    t_check "$slots slots at full speed" run_slots "$release" "$slots"
else
    t_skip "slots at full speed" "the release is not built"
fi
t_done
