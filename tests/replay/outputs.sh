#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Files that pcap-replay writes: none is a file that it reads, or another that it writes; each appears whole or not at
# all; links are followed, pipes and devices written straight; what is lost on the way is told.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/replay/expect.sh
build=${WISP_BUILD_SAN:-build}
case $build in /*) ;; *) build=$PWD/$build ;; esac
tool=$build/pcap-replay/pcap-replay
[ -x "$tool" ] && [ -x "$build/tests/make-capture" ] || t_skip_all "pcap-replay is not built"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
export ASAN_OPTIONS=${ASAN_OPTIONS-}:exitcode=86 UBSAN_OPTIONS=${UBSAN_OPTIONS-}:exitcode=86
capture=$scratch/in.pcap
"$build/tests/make-capture" 2M made.pcap
"$tool" -q -w in.pcap made.pcap || t_skip_all "no capture to begin with"
rm made.pcap
sum=$(sha256sum < in.pcap)

# Nothing but what there was: the names in the folder, but what `expect` leaves.
names() {
    find . -mindepth 1 ! -name out.txt ! -name err.txt | sort | tr '\n' ' '
}

refused() { # name, pattern, arguments: exit 2 in one line, the capture untouched, no file more or less
    local name=$1 pattern=$2 before
    shift 2
    before=$(names)
    expect "$name: exit 2" 2 "$pattern" "$@"
    t_check "$name: in one line, nothing written" test "$(cat out.txt err.txt | wc -l)" -eq 1 -a "$(names)" = "$before" \
        -a "$(sha256sum < in.pcap)" = "$sum"
}

ln -s in.pcap link.pcap
ln in.pcap hard.pcap
mkdir folder
ln -s ../in.pcap folder/link.pcap
printf '%s\n' in.pcap > list
mkfifo fifo
for mode in endpoint inject; do
    refused "frames over the capture, $mode" 'the capture and --write are one file' --mode=$mode -w in.pcap in.pcap
    refused "frames over the capture by a link, $mode" 'one file' --mode=$mode -w link.pcap in.pcap
done
refused "frames over the capture by a hard link" 'one file' -w hard.pcap in.pcap
refused "frames over the capture by another folder" 'one file' -w folder/link.pcap in.pcap
refused "frames over a linked capture" 'one file' -w in.pcap folder/link.pcap
input=in.pcap refused "frames over the capture on standard input" 'one file' -w in.pcap -
refused "the report over the capture" 'the capture and --output are one file' -o in.pcap in.pcap
refused "a golden report over the capture" 'the capture and --expect are one file' --expect=link.pcap --update in.pcap
refused "frames and report in one file" '--write and --output are one file' -w new -o new in.pcap
refused "the same by another name" 'one file' -w new -o folder/../new in.pcap
refused "a golden report where the report goes" '--output and --expect are one file' -o new --expect=new --update in.pcap
refused "a golden capture where the frames go" '--write and --expect are one file' -w hard2.pcap --expect=hard2.pcap in.pcap
printf '%s\n' in.pcap > list1
refused "the report over the list" 'the list of --files-from and --output are one file' -o list%n --files-from=list1
ln in.pcap h2
printf '%s\n' folder/link.pcap in.pcap > list1
refused "a list, frames over a capture that comes later" 'h2 is a capture of the list' -w h%n --files-from=list1
input=list1 refused "the same of a list on standard input" 'h2 is a capture of the list' -w h%n --files-from=-
refused "a list, the report over a capture" 'h2 is a capture of the list' -o h%n --files-from=list1
refused "a list, a golden file over a capture" 'h2 is a capture of the list' --expect=h%n --update --files-from=list1
rm h2
refused "frames into a folder" 'cannot write folder: Is a directory' -w folder in.pcap
refused "the report into a folder" 'cannot write folder: Is a directory' -o folder in.pcap
refused "frames into no folder" 'cannot write nowhere/x: No such' -w nowhere/x in.pcap
refused "the report into no folder" 'cannot write nowhere/x: No such' -o nowhere/x in.pcap
refused "a golden report into no folder" 'cannot write nowhere/x: No such' --expect=nowhere/x --update in.pcap
for option in --write= --output= --expect= --files-from=; do
    refused "no name in $option" "${option%=} is the name of a file" $option in.pcap
done
refused "a golden capture compared with a pipe" 'no regular file' -w fifo --expect=hard2.pcap in.pcap
ln -s loop loop
refused "a link to itself" 'cannot write loop: Too many levels' -w loop in.pcap
rm loop
(
    "$tool" in.pcap >> in.pcap 2> err.txt
    [ $? -eq 2 ] && [ "$(sha256sum < in.pcap)" = "$sum" ]
)
t_check "standard output appended to the capture: exit 2" grep -q 'the capture and standard output are one file' err.txt
t_check "and nothing was" test "$(sha256sum < in.pcap)" = "$sum"

# Links are followed, what is replaced keeps its mode, and a name that is taken stays with its owner.
echo old > real
chmod 640 real
ln -s real alias
ln -s absent dangling
echo mine > real.partial
expect "frames by a link" 0 'PASS' -w alias in.pcap
t_check "the link stays, the file is new, of the same mode" test -L alias -a "$(stat -c %a real)" = 640 -a "$(wc -c < real)" -gt 1000
t_check "another's file of a like name stays" test "$(cat real.partial)" = mine
expect "the report by a link to nothing yet" 0 '' -o dangling in.pcap
t_check "makes what it leads to" test -L dangling -a -f absent -a "$(tail -1 absent | cut -c 1-6)" = result
expect "a golden report by a link" 0 'PASS' --expect=alias --update in.pcap
t_check "which stays" test -L alias
expect "and holds" 0 'PASS' --expect=alias in.pcap
rm -f real real.partial alias dangling absent
expect "golden frames: made" 0 'PASS' --expect=golden.pcap --update in.pcap
echo mine > golden.pcap.got
expect "golden frames: the same again" 0 'PASS' --expect=golden.pcap in.pcap
t_check "golden frames: another's file of a like name stays" test "$(cat golden.pcap.got)" = mine
rm -f golden.pcap golden.pcap.got

# Pipes and devices.
for mode in endpoint inject; do
    "$tool" -q --mode=$mode -w plain.pcap in.pcap
    timeout 60 cat fifo > piped.pcap &
    expect "frames into a pipe, $mode" 0 '' -q --mode=$mode -w fifo in.pcap
    wait
    t_check "are those of a file, $mode" cmp plain.pcap piped.pcap
    t_check "and the pipe is one still, $mode" test -p fifo
done
rm -f plain.pcap piped.pcap
t_check "the report into a pipe of the shell" sh -c "'$tool' -o /dev/fd/3 in.pcap 3>&1 >/dev/null | grep -q '^result'"
# Nodes of our own: one that was renamed over would be no loss.
if mknod full c 1 7 2> /dev/null && (echo > full) 2>&1 | grep -q 'No space'; then
    for mode in endpoint inject; do
        expect "frames into a full device, $mode: exit 2" 2 'No space' --mode=$mode -w full in.pcap
    done
    expect "the report into a full device: exit 2" 2 'cannot write full: No space' -o full in.pcap
    expect "a golden report into a full device: exit 2" 2 'cannot write full: No space' --expect=full --update in.pcap
    t_check "it is a device still" test -c full
    rm full
else
    t_skip "a full device" "no right to make one"
fi

# Beside what others write there.
{ "$tool" -o /dev/stdout in.pcap && echo more; } > beside.txt
t_check "the report into standard output, a file: what comes later stands behind it" \
    sh -c "head -1 beside.txt | grep -q capture && tail -1 beside.txt | grep -qx more"
rm beside.txt

# A report that gets lost on standard output.
for arguments in in.pcap "--format=json in.pcap" "--format=tap in.pcap" "--files-from=list" "--mode=inject in.pcap" --help --version; do
    # shellcheck disable=SC2086
    "$tool" $arguments > /dev/full 2> err.txt
    status=$?
    t_check "standard output is full, $arguments: exit 2" test $status -eq 2
    t_check "in one line, $arguments" test "$(wc -l < err.txt)" -eq 1 -a "$(grep -c 'cannot write standard output: No space' err.txt)" -eq 1
done
"$tool" -q in.pcap > /dev/full 2> err.txt
t_check "nothing to be lost: exit 0" test $? -eq 0 -a ! -s err.txt
t_check "nothing else is left in the folder" test "$(names)" = "./fifo ./folder ./folder/link.pcap ./hard.pcap ./in.pcap ./link.pcap ./list ./list1 "

# What can be read but once: a pipe by its name is spooled as standard input is.
"$tool" in.pcap | tail -n +2 > file.txt
for how in '<(cat in.pcap)' fifo '/dev/stdin < <(cat in.pcap)'; do
    [ "$how" != fifo ] || timeout 60 sh -c 'cat in.pcap > fifo' &
    eval "timeout 100 '$tool' $how" 2> err.txt | tail -n +2 > pipe.txt
    wait
    t_check "a capture by $how is judged like a file" cmp file.txt pipe.txt
done
t_check "it has flows" grep -qE ' [1-9][0-9]* pass, 0 fail' file.txt
t_check "a compressed one is told" sh -c "timeout 60 sh -c 'gzip -c in.pcap > fifo' & timeout 100 '$tool' fifo 2>&1 | grep -q zcat"
t_done
