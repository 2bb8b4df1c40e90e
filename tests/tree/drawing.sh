#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# ARCHITECTURE.md's drawing is what `ls` shows: every folder of the tree is named there, and every one named is there;
# functions and files keep to their sizes; #if stays out of functions.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
command -v git > /dev/null || t_skip_all "git is not installed"

# Folders that the table names, one a line: in "`stack/ethif/ arp/`" the later words lie beside the first one.
named() {
    sed -n '/^## The tree/,/^## What moves/p' ARCHITECTURE.md | sed -nE 's/^\| (`[^|]*`) \|.*/\1/p' |
        tr -d '`' | awk '{ parent = $1; sub(/[^\/]*\/$/, "", parent)
            for (i = 1; i <= NF; i++) print (i > 1 && parent != "" ? parent $i : $i) }'
}
shown() { # the folders of the first level, and of stack/
    git ls-files | awk -F/ 'NF > 1 && $1 !~ /^\./ { print $1 "/" } $1 == "stack" && NF > 2 { print "stack/" $2 "/" }' |
        sort -u
}
drawn=$(named)
stray=
for name in $drawn; do
    [ -e "$name" ] || stray="$stray $name"
done
t_check "every folder and file that the drawing names is there" sh -c "[ -z '$stray' ] || { echo '$stray' >&2; exit 1; }"
absent=
for folder in $(shown); do
    grep -qE "^$folder" <<< "$drawn" || absent="$absent $folder"
done
t_check "every folder is in the drawing" sh -c "[ -z '$absent' ] || { echo '$absent' >&2; exit 1; }"

sizes() {
    python3 - <<'PY'
import re, subprocess, sys
bad = []
for path in subprocess.check_output(["git", "ls-files", "*.c", "*.h"], text=True).split():
    lines = open(path).read().split("\n")
    if len(lines) > 701:
        bad.append(f"{path}: {len(lines) - 1} lines")
    start = None
    for i, line in enumerate(lines):
        if line == "{":
            start = i
        elif line == "}" and start is not None:
            if i - start - 1 > 80:
                bad.append(f"{path}:{start}: a function of {i - start - 1} lines")
            start = None
        elif start is not None and re.match(r"\s*#\s*if", line):
            bad.append(f"{path}:{i + 1}: conditional compilation in a function")
print("\n".join(bad), file=sys.stderr)
sys.exit(bool(bad))
PY
}
t_check "no file beyond 700 lines, no function beyond 80, no #if in one" sizes
t_done
