# SPDX-License-Identifier: ISC
# Sourced by test scripts: TAP on standard output, everything else on standard error.
#
#   t_check "name" command...   ok if the command succeeds
#   t_ok "name" / t_not_ok "name" "why" / t_skip "name" "reason"
#   t_skip_all "reason"         the whole script cannot run here (exit 77)
#   t_done                      plan line and exit status

t_count=0
t_failed=0

t_ok() {
    t_count=$((t_count + 1))
    printf 'ok %d - %s\n' "$t_count" "$1"
}

t_not_ok() {
    t_count=$((t_count + 1))
    t_failed=$((t_failed + 1))
    printf 'not ok %d - %s\n' "$t_count" "$1"
    [ -z "${2-}" ] || printf '# %s\n' "$2"
}

t_skip() {
    t_count=$((t_count + 1))
    printf 'ok %d - %s # SKIP %s\n' "$t_count" "$1" "$2"
}

t_check() {
    t_name=$1
    shift
    if "$@" 1>&2; then
        t_ok "$t_name"
    else
        t_not_ok "$t_name" "failed: $*"
    fi
}

t_skip_all() {
    printf '1..0 # SKIP %s\n' "$1"
    exit 77
}

t_done() {
    printf '1..%d\n' "$t_count"
    [ "$t_failed" -eq 0 ]
    exit $?
}
