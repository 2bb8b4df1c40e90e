# SPDX-License-Identifier: ISC
# Sourced by the tests that need real Xen, after support/tap.sh: the lab, started once and left running for the next
# script (`./test` stops it at its end; by hand: lab/xen stop).
#
#   lab_open IMAGE...           starts the lab if need be and puts the images into dom0's /tmp, beside them what the scripts there source
#   lab_guest TYPE MEMORY KERNEL CMDLINE [XL-LINE...]
#                               creates a guest, waits until it ends (at most 60 s), prints its console
#   lab_results LAST COMMAND...
#                               runs what prints "ok NAME" or "not ok NAME: why" for each test, and makes it results of ours;
#                               without the test LAST it did not run to its end
: "${WISP_BUILD:=build}"
export WISP_LAB=${WISP_LAB:-test}

lab_open() {
    [ "$(uname -m)" = x86_64 ] || t_skip_all "images are for x86-64"
    for image in "$@"; do
        [ -f "$image" ] || t_skip_all "no $image: images need libxen-dev, musl-dev, libsodium-dev"
    done
    local why
    why=$(lab/xen start 2>&1)
    case $? in
        0) ;;
        77) t_skip_all "${why#lab: }" ;;
        *) t_not_ok "the lab starts" "$why"; t_done ;;
    esac
    why=$(lab/xen put "$@" tests/xen/dom0/waits /tmp/ 2>&1) || { t_not_ok "images are put into dom0" "$why"; t_done; }
}

lab_guest() {
    lab/xen run tests/xen/dom0/guest "$@"
}

lab_results() { # pattern of the last line, command and arguments in dom0
    local end=$1 out line
    shift
    out=$("$@" 2>&1)
    while read -r line; do
        case $line in
            "ok "*) t_ok "${line#ok }" ;;
            "not ok "*)
                line=${line#not ok }
                t_not_ok "${line%%: *}" "${line#*: }"
                ;;
        esac
    done <<< "$out"
    grep -qE "^(not )?ok .*$end" <<< "$out" || t_not_ok "the tests in dom0 run to their end" "$out"
}
