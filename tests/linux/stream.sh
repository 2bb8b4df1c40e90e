#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# echo, discard, chargen and fetch against Debian's nc and socat: half-close in both orders, resets, datagrams.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/linux/netns.sh
needs ip nc socat tshark cksum python3

head -c 3000000 /dev/urandom > "$scratch/data"

app_start echo "--pcap=$app_pcap"
t_check "echo: 3 MB come back, we close after Linux did (nc -N)" \
    sh -c "timeout 100 nc -N 10.0.0.2 7 < $scratch/data | cmp - $scratch/data"
t_check "echo: the same by socat, which waits for our end" \
    sh -c "timeout 100 socat -t 60 - TCP:10.0.0.2:7 < $scratch/data | cmp - $scratch/data"
t_check "echo: nothing sent, only closed" sh -c "timeout 100 nc -N 10.0.0.2 7 < /dev/null | wc -c | grep -qx 0"
hundred() {
    local i
    head -c 20000 "$scratch/data" > "$scratch/part"
    for i in $(seq 100); do
        { timeout 100 nc -N 10.0.0.2 7 < "$scratch/part" | cmp - "$scratch/part" || echo bad >> "$scratch/bad"; } &
        pids[i]=$!
    done
    wait "${pids[@]}"
    [ ! -e "$scratch/bad" ]
}
t_check "echo: 100 connections at once" hundred
reset_midway() {
    python3 - <<'PY'
import socket, struct
for i in range(50):
    s = socket.create_connection(("10.0.0.2", 7), 60)
    s.sendall(b"x" * (i * 1000))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()
s = socket.create_connection(("10.0.0.2", 7), 60)
s.sendall(b"still there")
s.shutdown(socket.SHUT_WR)
assert s.makefile("rb").read() == b"still there"
PY
}
t_check "echo: 50 connections reset by Linux midway do no harm" reset_midway
urgent() {
    python3 - <<'PY'
import socket
s = socket.create_connection(("10.0.0.2", 7), 60)
s.sendall(b"before ")
s.send(b"!", socket.MSG_OOB)
s.sendall(b" after")
s.shutdown(socket.SHUT_WR)
got = s.makefile("rb").read()
assert got == b"before ! after", got
PY
}
t_check "echo: urgent data comes back in its place" urgent
slow_reader() {
    python3 - "$scratch/data" <<'PY'
import socket, sys, threading, time
data = open(sys.argv[1], "rb").read()
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
s.settimeout(60)
s.connect(("10.0.0.2", 7))
def send():
    s.sendall(data[:400000])
    s.shutdown(socket.SHUT_WR)
threading.Thread(target=send).start()
time.sleep(1.5)  # the window closes: they probe us, we probe them
got = s.makefile("rb").read()
assert got == data[:400000], len(got)
PY
}
t_check "echo: a reader that sleeps meets closed windows and gets everything" slow_reader
app_stop "echo: the end is orderly"
app_check_capture "echo: tshark finds no error of ours"

app_start echo --udp "--pcap=$app_pcap"
datagrams() {
    python3 - <<'PY'
import socket, os
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(60)
for size in (0, 1, 17, 1472, 1473, 9000, 40000, 65507):
    data = os.urandom(size)
    s.sendto(data, ("10.0.0.2", 7))
    got, sender = s.recvfrom(70000)
    assert got == data and sender == ("10.0.0.2", 7), size
s.sendto(b"x", ("10.0.0.2", 8))
s.connect(("10.0.0.2", 8))
s.send(b"x")
try:
    s.recv(10)
    raise SystemExit("no port unreachable")
except ConnectionRefusedError:
    pass
PY
}
t_check "echo --udp: datagrams of 0 to 65507 bytes come back, another port is refused" datagrams
app_stop "echo --udp: the end is orderly"
app_check_capture "echo --udp: tshark finds no error of ours" sums

app_start discard
t_check "discard: takes 3 MB and closes when Linux does" \
    sh -c "timeout 100 nc -N 10.0.0.2 9 < $scratch/data | wc -c | grep -qx 0"
t_check "discard: counted every byte" until_ok grep -q '3000000 bytes from 10.0.0.1' "$app_log"
app_stop "discard: the end is orderly"

app_start chargen
pattern() {
    timeout 100 nc 10.0.0.2 19 < /dev/null 2> /dev/null | head -c 5000000 > "$scratch/chargen"
    python3 - "$scratch/chargen" <<'PY'
import sys
got = open(sys.argv[1], "rb").read()
line = lambda n: bytes(32 + (n + i) % 95 for i in range(72)) + b"\r\n"
period = b"".join(line(n) for n in range(95))
assert len(got) == 5000000 and got == (period * (len(got) // len(period) + 1))[:len(got)]
PY
}
t_check "chargen: 5 MB of RFC 864's pattern, then we are left" pattern
t_check "chargen: and can be asked again" pattern
app_stop "chargen: the end is orderly"

mkdir "$scratch/www"
cp "$scratch/data" "$scratch/www/data"
ip tuntap add wisp0 mode tap vnet_hdr && ip addr add 10.0.0.1/24 dev wisp0 && ip link set wisp0 up
python3 -m http.server --directory "$scratch/www" --bind 0.0.0.0 8000 > /dev/null 2>&1 &
server=$!
until_ok nc -z 127.0.0.1 8000
fetched() {
    "$build/apps/fetch" --ipv4=10.0.0.2/24 http://10.0.0.1:8000/data | cmp - "$scratch/data"
}
t_check "fetch: 3 MB from Python's server, over a tap that was there before" fetched
t_check "fetch --sum: the checksum that cksum says" \
    sh -c "[ \"\$($build/apps/fetch --ipv4=10.0.0.2/24 --sum http://10.0.0.1:8000/data)\" = \"\$(cksum < $scratch/data)\" ]"
t_check "fetch: 404 is an error, status 1" \
    sh -c "$build/apps/fetch --ipv4=10.0.0.2/24 http://10.0.0.1:8000/nothing > /dev/null 2> $scratch/err; [ \$? -eq 1 ] &&
        grep -q 'status 404' $scratch/err"
t_check "fetch: nobody listens, status 1" \
    sh -c "$build/apps/fetch --ipv4=10.0.0.2/24 http://10.0.0.1:8001/ 2> $scratch/err; [ \$? -eq 1 ] && grep -q refused $scratch/err"
kill $server
t_done
