#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Every public header compiles alone, in C11 and C++, hosted and freestanding.
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
t_done
