#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Every public header compiles alone, in C11 and C++, hosted and freestanding; and says what its functions do.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh

warnings="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -fsyntax-only"
gcc_include=$(gcc -print-file-name=include)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

compiles() { # language, header, compiler and flags...
    local language=$1 header=$2
    shift 2
    printf '#include <%s>\nextern int one;\n' "$header" > "$scratch/one.$language"
    # shellcheck disable=SC2086
    "$1" $warnings "${@:2}" "$scratch/one.$language"
}

for path in include/wisp/*.h; do
    header=${path#include/}
    t_check "$header alone, C11, gcc" compiles c "$header" gcc -std=c11 -Iinclude -Wstrict-prototypes
    t_check "$header alone, C11, clang" compiles c "$header" clang -std=c11 -Iinclude -Wstrict-prototypes
    # Without -Wshadow: a function named like a struct is good C++, and g++ remarks on it.
    t_check "$header alone, C++11" compiles cc "$header" g++ -std=c++11 -Iinclude -Wno-shadow
    t_check "$header alone, freestanding" compiles c "$header" gcc -std=c11 -ffreestanding -nostdinc \
        -idirafter "$gcc_include" -Istack/base/freestanding -Iinclude
done
# What is installed for images beside them.
t_check "freestanding/string.h alone, C++11" compiles cc string.h g++ -std=c++11 -ffreestanding -nostdinc \
    -idirafter "$gcc_include" -Istack/base/freestanding
t_check "freestanding/string.h alone, C11" compiles c string.h gcc -std=c11 -ffreestanding -nostdinc \
    -idirafter "$gcc_include" -Istack/base/freestanding

# A function without a comment above it, or above the declarations it stands with, is one nobody knows how to use.
undocumented() { # headers: prints them; 1 if there are any
    python3 - "$@" <<'PY'
import re, sys

FUNCTION = re.compile(r"(?!.*\btypedef\b)[^(=]*?\b(?:wisp|pcapreplay)_\w+\s*\(")
ATTRIBUTE = re.compile(r"__attribute__\s*\(\(.*?\)\)\)?")


def functions(path):
    """(line, declaration, whether a comment covers it); a blank line or another declaration ends a comment's cover."""
    depth, statement, covered, inside = 0, "", False, False
    for number, line in enumerate(open(path).read().split("\n"), 1):
        text = line.strip()
        if inside:
            inside = "*/" not in text
            continue
        if depth == 0 and not statement and text.startswith("/*"):
            inside = "*/" not in text
            covered = not text.startswith("/* ----")
            continue
        if not text:
            covered = covered and (depth > 0 or bool(statement))
            continue
        if text.startswith("#") or text.startswith('extern "C"'):
            continue
        code = re.sub(r"/\*.*?\*/", "", line)
        if depth == 0:
            statement += code + " "
        depth = max(depth + code.count("{") - code.count("}"), 0)
        if depth == 0 and (";" in code or "}" in code):
            found = FUNCTION.match(ATTRIBUTE.sub("", statement))
            if found:
                yield number, found.group(0), covered
            covered = covered and bool(found)
            statement = ""


bad = [f"{path}:{number}: {name})" for path in sys.argv[1:] for number, name, covered in functions(path) if not covered]
print("\n".join(bad), file=sys.stderr)
sys.exit(bool(bad))
PY
}
t_check "each public function has a comment above it" undocumented include/wisp/*.h xen-netfront/netfront.h \
    xen-netfront/hypervisor.h pcap-replay/pcapreplay.h
printf '%s\n' '/* This one has. */' 'int wisp_one(void);' 'int wisp_with_it(int a,' '                 int b);' '' \
    'int wisp_two(void);' > "$scratch/two.h"
without() {
    ! undocumented "$scratch/two.h" 2> "$scratch/two" && [ "$(cat "$scratch/two")" = "$scratch/two.h:6: int wisp_two()" ]
}
t_check "one without is found" without
t_done
