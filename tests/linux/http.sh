#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# curl against slides: every size from 1 B to 64 MiB, ranges, conditions, keep-alive, pipelining, HEAD, bad
# requests, aborts; with offloads, with checksums only, and with none.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/linux/netns.sh
needs ip curl tshark nc sha256sum ninja

ninja -C "$build" tests/linux/slides-sizes > "$scratch/ninja" 2>&1 || {
    tail -20 "$scratch/ninja" >&2
    t_not_ok "the server with the tests' files builds"
    t_done
}
files=$build/tests/linux/files
url=http://10.0.0.2
serve() {
    app_start "$build/tests/linux/slides-sizes" "--pcap=$app_pcap" "$@"
}

same() { # file, curl options...: what comes is the file
    local file=$1
    shift
    curl -fsS --max-time 300 "$@" "$url/$(basename "$file")" | cmp - "$file"
}
part() { # range, dd's skip and count in bytes, file
    curl -fsS --max-time 60 -r "$1" "$url/$(basename "$4")" |
        cmp - <(tail -c +$(($2 + 1)) "$4" | head -c "$3")
}
status() { # expected, curl options...
    local got
    got=$(curl -sS --max-time 60 -o /dev/null -w '%{http_code}' "${@:2}")
    [ "$got" = "$1" ] || { echo "status $got" >&2; return 1; }
}
raw() { # text for printf: the answer to these very bytes
    printf "$1" | timeout 60 nc -N 10.0.0.2 80
}
raw_status() { # expected, text
    raw "$2" | head -1 | grep -q "^HTTP/1.1 $1 " 
}

for offload in on csum off; do
    serve "--offload=$offload"
    for file in $(ls -v "$files"/*.bin); do
        t_check "offload=$offload: $(basename "$file" .bin) bytes arrive as they are" same "$file"
    done
    big=$files/10000019.bin
    t_check "offload=$offload: a range in the middle" part 4090-4200 4090 111 "$big"
    t_check "offload=$offload: a range up to the end" part 9999999- 9999999 20 "$big"
    t_check "offload=$offload: the last bytes" part -77777 9922242 77777 "$big"
    t_check "offload=$offload: nothing was copied by the driver" \
        sh -c "curl -fsS $url/status.json | grep -q '\"driver_bytes_copied\": 0'"
    app_stop "offload=$offload: the end is orderly"
    sums=
    [ $offload = off ] && sums=sums
    app_check_capture "offload=$offload: tshark finds no error of ours" $sums
done

serve
one=$files/1.bin
etag=$(curl -fsSI $url/1.bin | tr -d '\r' | sed -n 's/^ETag: //p')
t_check "HEAD says the length and sends nothing" \
    sh -c "curl -fsSI --max-time 60 $url/10000019.bin | grep -q 'Content-Length: 10000019'"
t_check "the tag known: 304" status 304 -H "If-None-Match: $etag" $url/1.bin
t_check "another tag: 200" status 200 -H 'If-None-Match: "x"' $url/1.bin
t_check "If-Range with the tag: 206" status 206 -H "If-Range: $etag" -r 0-0 $url/1.bin
t_check "If-Range with another: 200" status 200 -H 'If-Range: "x"' -r 0-0 $url/1.bin
t_check "a range outside: 416" status 416 -r 1- $url/1.bin
t_check "no such file: 404" status 404 $url/nothing
t_check "POST: 405" status 405 -d x $url/1.bin
t_check "PUT of 1 MiB: 405, not a reset" status 405 -T "$files/1048576.bin" $url/1.bin
t_check "DELETE: 405" status 405 -X DELETE $url/1.bin
t_check "a target of 300 bytes: 414" status 414 "$url/$(printf 'a%.0s' $(seq 300))"
t_check "a head of 9000 bytes: 431" status 431 -H "X: $(printf 'a%.0s' $(seq 9000))" $url/1.bin
t_check "HTTP/1.0 is answered and closed" sh -c "curl -fsS0 --max-time 60 $url/1.bin | cmp - $one"
t_check "no Host in HTTP/1.1: 400" raw_status 400 'GET / HTTP/1.1\r\n\r\n'
t_check "noise: 400" raw_status 400 'noise\r\n\r\n'
t_check "100 requests on one connection" sh -c "
    curl -fsS --max-time 60 -o /dev/null -w '%{num_connects}\n' '$url/1.bin?[1-100]' | sort | uniq -c |
    tr -s ' ' | sort | tr '\n' ';' | grep -q '^ 1 1; 99 0;$'"
pipelined() {
    local i
    { for i in $(seq 200); do printf 'GET /100.bin HTTP/1.1\r\nHost: a\r\n\r\n'; done
        printf 'GET /100.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'; } > "$scratch/requests"
    timeout 60 nc -N 10.0.0.2 80 < "$scratch/requests" > "$scratch/answers"
    [ "$(grep -ao 'HTTP/1.1 200 OK' "$scratch/answers" | wc -l)" -eq 201 ] &&
        [ "$(tail -c 100 "$scratch/answers" | sha256sum)" = "$(sha256sum < "$files/100.bin")" ]
}
t_check "201 pipelined requests are answered in order, then the end" pipelined
slowly() {
    { for c in G E T ' ' / 1 . b i n ' ' H T T P / 1 . 0 '\r' '\n' '\r' '\n'; do printf "$c"; sleep 0.01; done; } |
        timeout 60 nc -N 10.0.0.2 80 | tail -c 1 | cmp - "$one"
}
t_check "a request byte by byte" slowly
t_check "ten downloads of 10 MB at once" sh -c "
    curl -fsSZ --parallel-max 10 --max-time 300 -o '$scratch/got#1' '$url/10000019.bin?[1-10]' &&
    for i in \$(seq 10); do cmp '$scratch'/got\$i '$big' || exit 1; done"
aborts() {
    local i
    for i in $(seq 20); do
        timeout 0.05 curl -sS -o /dev/null $url/67108864.bin
        curl -sS --max-time 1 --limit-rate 100k --max-filesize 1000 -o /dev/null $url/67108864.bin
    done
    same "$one"
} 2> /dev/null
t_check "40 aborted downloads do no harm" aborts
settled() {
    curl -fsS $url/status.json | grep -q '"connections": 1,'
}
t_check "afterwards no connection is left but the one that asks" until_ok settled
app_stop "the end is orderly after all of this"

# Clients that hold a place by being slow: with --idle=6 they are gone a few times that later. Six seconds are more than
# a machine stalls, so that a client that is not slow is never taken for one. The three run side by side, each judged
# from its own begin to its own end.
idle=6
serve --idle=$idle
slow() { # drip | sip | steady
    python3 - "$1" $idle <<'PY'
import socket, sys, time
how, idle = sys.argv[1], int(sys.argv[2])
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
s.settimeout(60)
start = time.monotonic()
lasted = lambda: time.monotonic() - start
s.connect(("10.0.0.2", 80))
got, cut = 0, False
try:
    if how == "drip":  # a request that never ends, byte after byte
        s.send(b"GET /1.bin HTTP/1.1\r\nHost: a\r\nX: ")
        while lasted() < 10 * idle:
            s.send(b"x")
            time.sleep(0.2)
    else:  # a large answer, taken in sips of 100 bytes, or at a steady 100 KB/s
        s.send(b"GET /67108864.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        sip, long = (100, 10 * idle) if how == "sip" else (10000, 3.5 * idle)
        while lasted() < long or (how == "steady" and got < 700000):
            part = s.recv(sip)
            got += len(part)
            if not part:
                cut = True
                break
            time.sleep(0.1)
except (BrokenPipeError, ConnectionResetError):
    cut = True
if how == "steady":
    assert not cut, (got, lasted())
else:
    most = {"drip": 4, "sip": 7.5}[how] * idle
    assert cut and idle <= lasted() < most, (cut, got, lasted())
PY
}
slow_pids=()
for how in drip sip steady; do
    slow $how &
    slow_pids+=($!)
done
t_check "a request that drips in for ever is cut off" wait "${slow_pids[0]}"
t_check "a client that sips at an answer is cut off" wait "${slow_pids[1]}"
t_check "one that takes 100 KB/s is not" wait "${slow_pids[2]}"
t_check "afterwards no connection is left but the one that asks" until_ok settled
app_stop "the end is orderly after slow clients"
app_check_capture "tshark finds no error of ours in all of this"
t_done
