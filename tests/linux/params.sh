#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Wrong parameters, missing devices and missing permissions: one line that says what to do, and the right status.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/linux/netns.sh
needs ip setpriv

# One line on standard error that holds the text, and the status.
says() { # status, text, command...
    local want=$1 text=$2 status
    shift 2
    timeout 20 "$@" > "$scratch/out" 2> "$scratch/err"
    status=$?
    if [ $status -eq "$want" ] && [ "$(wc -l < "$scratch/err")" -eq 1 ] && grep -qF -e "$text" "$scratch/err"; then
        return 0
    fi
    echo "status $status:" >&2
    cat "$scratch/err" >&2
    return 1
}

apps=$(cd "$build/apps" && find . -maxdepth 1 -type f -perm -u+x ! -name '*.*' ! -name 'fix-*' -printf '%f\n' | sort)
for app in $apps; do
    t_check "$app --help names its parameters, with status 0" \
        sh -c "'$build/apps/$app' --help | grep -q -F -e '--ipv4=ADDR[/BITS]'"
    t_check "$app --version is one line" sh -c "[ \$('$build/apps/$app' --version | wc -l) -eq 1 ]"
    t_check "$app --help into a full device says so, with status 1" \
        says 1 "No space left" sh -c "'$build/apps/$app' --help > /dev/full"
    t_check "$app --nonsense names what is valid, with status 2" \
        says 2 "no such parameter; valid are" "$build/apps/$app" --nonsense
done

# Nonsense for each parameter that has a value, but for those that take any text: one line that names the parameter.
nonsense() { # application
    local app=$1 name operand= given bad=0
    case $app in ping | resolve) operand=10.0.0.1 ;; fetch) operand=http://10.0.0.1/ ;; esac
    for name in $("$build/apps/$app" --help | sed -nE 's/^  --([a-z0-9-]+)=.*/\1/p'); do
        case $name in
            tap | pcap | dhcp-id) continue ;; # any text, or nearly
            ipv4) given= ;;
            *) given=--ipv4=10.0.0.2/24 ;;
        esac
        # shellcheck disable=SC2086
        timeout 20 "$build/apps/$app" $given "--$name=@@" $operand > "$scratch/out" 2> "$scratch/err"
        case $? in
            1 | 2) [ "$(wc -l < "$scratch/err")" -eq 1 ] && grep -qF -e "$name" "$scratch/err" && continue ;;
        esac
        echo "--$name=@@: $(head -3 "$scratch/err")" >&2
        bad=1
    done
    return $bad
}
for app in $apps; do
    t_check "$app: nonsense for any parameter is one line that names it" nonsense "$app"
done

# Not on Xen: one line that says so, and the status by which test runners skip.
if grep -qs '^xen' /sys/hypervisor/type; then
    t_skip "echo --xen=0 without Xen: one line, status 77" "this machine runs on Xen"
elif ! timeout 20 "$build/apps/echo" --xen=0 2>&1 | grep -q "built without libxen"; then
    t_check "echo --xen=0 without Xen: one line, status 77" says 77 "is this Xen?" "$build/apps/echo" --xen=0
fi

t_check "wisp-bench into a full device says so, with status 1" \
    says 1 "No space left" sh -c "'$release/bench/wisp-bench' --list > /dev/full"
for tool in bench/wisp-bench pcap-replay/pcap-replay; do
    t_check "$(basename $tool) --nonsense names what is valid, with status 2" \
        says 2 "--nonsense is wrong; valid options" "$release/$tool" --nonsense
done

ping=$build/apps/ping
t_check "--ipv4 that is no address" says 2 "--ipv4 is an address" "$ping" --ipv4=10.0.0 10.0.0.1
t_check "--ipv4 that is a network's broadcast address" says 2 "not the address of a host" \
    "$ping" --ipv4=10.0.0.255/24 10.0.0.1
t_check "--ipv4 that is a broadcast address: which are of hosts" says 2 "they go from 10.0.0.1 to 10.0.0.254" \
    "$ping" --ipv4=10.0.0.255/24 10.0.0.1
for wrong in 224.0.0.1/24 0.1.2.3/24 127.0.0.1/8 10.0.0.1/0; do
    t_check "--ipv4=$wrong" says 2 "--ipv4=$wrong is not the address of a host, like 10.0.0.2/24" \
        "$ping" --ipv4=$wrong 10.0.0.1
done
for wrong in 224.0.0.1 0.0.0.0 255.255.255.255 10.0.0.2 10.0.0.0 10.0.0.255; do
    t_check "--ipv4-gateway=$wrong" says 2 "--ipv4-gateway=$wrong is not the address of another host, like 10.0.0.1" \
        "$ping" --ipv4=10.0.0.2/24 --ipv4-gateway=$wrong 10.0.0.1
done
t_check "--ipv4-gateway=224.0.0.1 with DHCP" says 2 "is not the address of another host" \
    "$ping" --ipv4-gateway=224.0.0.1 10.0.0.1
t_check "--ipv4-gateway that is no address" says 2 "--ipv4-gateway is an address" \
    "$ping" --ipv4-gateway=router 10.0.0.1
t_check "--ipv4-probe of no known kind" says 2 "beside, wait or none" "$ping" --ipv4-probe=x 10.0.0.1
t_check "--count of nothing" says 2 "--count=0: a number from 1 to" "$ping" --count=0 10.0.0.1
t_check "--count without a number" says 2 "--count needs a value" "$ping" --count 10.0.0.1
t_check "--offload of no known kind" says 2 "--offload is on, csum or off" "$ping" --offload=x 10.0.0.1
t_check "--mtu out of range" says 2 "--mtu is a number from" "$ping" --mtu=67 10.0.0.1
t_check "--mac of nobody" says 2 "--mac is a hardware address of one station" "$ping" --mac=00:00:00:00:00:00 10.0.0.1
t_check "--mac of a group" says 2 "--mac is a hardware address" "$ping" --mac=03:00:00:00:00:01 10.0.0.1
asks() { # application, memory
    timeout 60 sh -c '
        "$1" --tap=wisp0 --memory=$2 2> "$3" & pid=$!
        until grep -q "asking\|not enough" "$3" || ! kill -0 $pid; do sleep 0.05; done
        kill $pid; wait $pid; grep -q asking "$3"' sh "$build/apps/$1" "$2" "$scratch/asks" > /dev/null 2>&1 ||
        { cat "$scratch/asks" >&2; return 1; }
}
t_check "--memory without sense" says 2 "--memory=SIZE" "$ping" --memory=lots 10.0.0.1
for wrong in 1M 3M 65G 4000K; do
    t_check "--memory=$wrong, with which nothing works" says 2 "--memory=SIZE: from 4M (with TCP from 9M) to 64G" \
        "$ping" --memory=$wrong 10.0.0.1
done
t_check "with the least, ping works" sh -c "timeout 60 '$ping' --ipv4=10.0.0.2/24 --memory=4M --count=1 --timeout=20000 10.0.0.1 2>&1 |
    grep -q '1 received'"
t_check "and below the least with TCP, echo says so" says 1 "not enough memory" "$build/apps/echo" --log=error \
    --ipv4=10.0.0.2/24 --memory=4M
t_check "with the least, they get as far as asking by DHCP" asks dhcp-lease 4M
t_check "and with TCP, too" asks echo 9M
t_check "--log of a module that is none" says 2 "there is no module nomodule; there are * ping net dhcp" \
    "$ping" --log=net:debug,nomodule:debug 10.0.0.1
t_check "--log of modules the application has besides its name" says 2 "--log=MODULE:LEVEL" \
    "$build/apps/slides" --log=http:debug,slides:debug,loud
app_start slides --log=http:debug,slides:debug
app_stop "which are accepted"
t_check "--log without sense" says 2 "--log=MODULE:LEVEL" "$ping" --log=loud 10.0.0.1
for wrong in a-name-that-is-too-long a/b "" . .. "a b" a:b wisp%d; do
    t_check "--tap=$wrong" says 2 "--tap=NAME: a name has 1 to 15 characters" "$ping" "--tap=$wrong" 10.0.0.1
done
for wrong in nonsense 10.0.0.1/33 0.0.0.0/24 ""; do
    t_check "--tap-host=$wrong" says 2 "--tap-host is an address and its network's bits" "$ping" "--tap-host=$wrong" 10.0.0.1
done
t_check "--xen-pages of nothing, though it goes over a tap" says 2 "--xen-pages is a number from 128 to" \
    "$ping" --ipv4=10.0.0.2/24 --xen-pages=0 10.0.0.1
t_check "--dhcp-floor of nothing, though the address is given" says 2 "--dhcp-floor=0: a number from 1 to 3600" \
    "$ping" --ipv4=10.0.0.2/24 --dhcp-floor=0 10.0.0.1
t_check "--dhcp-id without a character" says 2 "--dhcp-id is a text of 1 to 63 characters" "$ping" --dhcp-id= 10.0.0.1
t_check "--dhcp-name too long" says 2 "--dhcp-name is a text of 1 to 63 characters" \
    "$ping" "--dhcp-name=$(printf %064d 0)" 10.0.0.1
for wrong in "bad name" a..b .a a. -a a- "ä"; do
    t_check "--dhcp-name=$wrong" says 2 "--dhcp-name=$wrong: a host's name is letters and digits" \
        "$ping" "--dhcp-name=$wrong" 10.0.0.1
done
for wrong in "" 10.0.0.1, 10.0.0.1,x 10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4,10.0.0.5; do
    t_check "--nameserver=$wrong" says 2 "--nameserver is one address like 10.0.0.1, or up to four" \
        "$ping" "--nameserver=$wrong" 10.0.0.1
done
t_check "--pcap without a name" says 2 "--pcap=FILE: the name of a file is needed" "$ping" --pcap= 10.0.0.1
t_check "--pcap to a folder that is not there" says 1 "--pcap" "$ping" --pcap=/nowhere/file 10.0.0.1
t_check "an operand too few" says 2 "one address to ask" "$ping"
t_check "resolve: nothing to look up" says 2 "what to look up is needed" "$build/apps/resolve"
t_check "resolve: nobody to ask" says 1 "no name server is known: give one with --nameserver" \
    "$build/apps/resolve" --ipv4=10.0.0.2/24 example.org
t_check "resolve: no name of a host" says 1 "a..b: the host's name is none" \
    "$build/apps/resolve" --ipv4=10.0.0.2/24 --nameserver=10.0.0.1 a..b
fetch=$build/apps/fetch
t_check "fetch: a port of three thousand zeros" says 2 "one URL is needed" \
    "$fetch" --ipv4=10.0.0.2/24 "http://10.0.0.1:$(printf %03000d 80)/x"
t_check "fetch: a path too long" says 2 "the URL's path is longer than 1023 characters" \
    "$fetch" --ipv4=10.0.0.2/24 "http://10.0.0.1/$(printf %03000d 0)"
t_check "fetch: a host too long" says 2 "the URL is too long" \
    "$fetch" --ipv4=10.0.0.2/24 "http://$(printf %03000d 0)/x"
t_check "an operand that is no address" says 2 "given as an address" "$ping" example

ip link add br-test type bridge 2> /dev/null &&
    t_check "a device of that name that is no tap" says 1 "is no tap" "$ping" --tap=br-test 10.0.0.1
"$build/apps/ping" --count=100 10.0.0.1 > /dev/null 2>&1 &
app_pid=$!
until_ok ip link show wisp0
t_check "a tap that another program uses" says 1 "in use by another program" "$ping" 10.0.0.1

if [ "$(stat -c %a /dev/net/tun)" = 666 ]; then
    t_check "no right to make a tap" says 1 "make it once with" \
        setpriv --bounding-set=-all --inh-caps=-all "$ping" --tap=other 10.0.0.1
else
    t_check "no right to open /dev/net/tun" says 1 "run as root" \
        setpriv --reuid=65534 --clear-groups --bounding-set=-all "$ping" --tap=other 10.0.0.1
fi
t_done
