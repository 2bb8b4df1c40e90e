#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Types hold: each file of tests/types compiles with -DRIGHT and must not compile without it.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh

compiles() { # compiler, file, flags...
    "$1" -std=c11 -Wall -Wextra -Wconversion -Werror -fsyntax-only -Iinclude -Istack/base -Istack/tcp \
        "${@:3}" "$2"
}

refused() {
    ! compiles "$@" 2> /dev/null
}

for file in tests/types/*.c; do
    name=$(basename "$file" .c)
    for compiler in gcc clang; do
        t_check "$name, as meant, $compiler" compiles "$compiler" "$file" -DRIGHT
        t_check "$name, mistaken, $compiler" refused "$compiler" "$file"
    done
done
t_done
