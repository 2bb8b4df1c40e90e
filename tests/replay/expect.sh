# SPDX-License-Identifier: ISC
# Sourced by the tests of the command, after support/tap.sh, where $tool is pcap-replay and the folder is their own.
#
#   expect "name" STATUS PATTERN ARGUMENT...   a test: the tool ends with STATUS, and PATTERN is on either output, which
#                                              are left in out.txt and err.txt; $input names its standard input
expect() { # name, status, pattern on either output, arguments
    local name=$1 want=$2 pattern=$3
    shift 3
    timeout 60 "$tool" "$@" > out.txt 2> err.txt < "${input:-/dev/null}"
    local got=$?
    if [ $got -eq "$want" ] && { [ -z "$pattern" ] || cat out.txt err.txt | grep -qE -e "$pattern"; }; then
        t_ok "$name"
    else
        t_not_ok "$name" "exit $got, wanted $want with '$pattern': $(head -c 300 err.txt)"
    fi
}
