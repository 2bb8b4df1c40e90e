#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Linux's ping and arping against us, our ping against Linux; all sizes, offloads on and off.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/linux/netns.sh
needs ip ping arping tshark

# For its last answer ping waits as long as the others took, twice, and for one interval at least, whatever -W says. So
# the three leave at once, and the interval is the patience: ping ends when the third answer is there.
pings() { # size: three echoes of that size come back
    ping -n -q -c 3 -l 3 -i 20 -W 20 -s "$1" 10.0.0.2 | grep -q ' 3 received'
}

# A flood ends without patience for what is still on its way; the kernel goes on counting.
all_answered() {
    awk '$1 == "Icmp:" && !n { n = split($0, name); next }
        $1 == "Icmp:" { for (i = 2; i <= n; i++) count[name[i]] = $i }
        END { exit !(count["OutEchos"] >= 1000 && count["OutEchos"] == count["InEchoReps"]) }' /proc/net/snmp
}
flood() {
    ping -n -q -f -c 1000 -s 1000 10.0.0.2 | grep -q ' received' && until_ok all_answered
}

for offload in on csum off; do
    app_start echo "--offload=$offload" "--pcap=$app_pcap"
    for size in 0 1 7 8 55 56 1471 1472 1473 2952 4095 4096 8192 20000 40000 65506 65507; do
        t_check "offload=$offload: Linux's ping of $size bytes comes back three times" pings $size
    done
    t_check "offload=$offload: a flood of 1000 pings loses none" flood
    t_check "offload=$offload: arping is answered" arping -q -C 2 -c 30 -w 30 -I wisp0 10.0.0.2
    app_stop "offload=$offload: the end is orderly"
    app_check_capture "offload=$offload: tshark finds no error of ours" sums
done

app_start echo "--pcap=$app_pcap"
t_check "a host that asks whether the address is free learns that it is not" \
    sh -c '! arping -q -d -S 0.0.0.0 -c 2 -w 3 -I wisp0 10.0.0.2 || arping -q -0 -C 1 -c 30 -w 30 -I wisp0 10.0.0.2'
app_stop "the end is orderly after that"

ours() { # size
    "$build/apps/ping" --ipv4=10.0.0.2/24 --count=3 --interval=10 --timeout=20000 "--size=$1" 10.0.0.1 | tee -a "$scratch/ours" |
        grep -q '^3 sent, 3 received'
}
for size in 0 56 1472 1473 65507; do
    t_check "our ping of $size bytes comes back from Linux three times" ours $size
done
t_check "our ping of an address nobody has fails with status 1" \
    sh -c "timeout 20 '$build/apps/ping' --ipv4=10.0.0.2/24 --count=2 --interval=10 10.0.0.77; [ \$? -eq 1 ]"
t_done
