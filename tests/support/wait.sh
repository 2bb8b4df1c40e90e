# SPDX-License-Identifier: ISC
# Sourced by what test scripts have in common, from the top of the tree: waiting for what has happened instead of for how
# long it takes.
#
#   until_ok COMMAND...      waits until it succeeds
#   listens tcp|udp PORT     somebody of Linux's listens there

# Twenty seconds at most: far more than a machine stalls, and less than the half minute after which slides lets go of a
# client by itself.
until_ok() {
    local end=$((SECONDS + 20))
    until "$@" > /dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.05
    done
}

# Asked of the kernel, in the namespace that `inside` leads to, so that the server sees nothing of it.
listens() {
    local state=07
    [ "$1" = udp ] || state=0A
    ${inside[@]+"${inside[@]}"} cat "/proc/net/$1" |
        grep -qE "^ *[0-9]+: [0-9A-F]+:$(printf %04X "$2") [0-9A-F:]+ $state "
}
