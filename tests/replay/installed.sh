#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# libpcapreplay as it is installed: a user's Check test is built by pkg-config alone and run; the manual page is there
# and knows every option.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
build=${WISP_BUILD:-build}
[ -x "$build/pcap-replay/pcap-replay" ] || t_skip_all "pcap-replay is not built"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
dest=$scratch/dest
meson install -C "$build" --no-rebuild --destdir "$dest" > "$scratch/install" 2>&1 || {
    tail -5 "$scratch/install" >&2
    t_not_ok "meson install"
    t_done
}
export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$dest" -name pcapreplay.pc)")
sed -i "s|^prefix=|prefix=$dest|" "$PKG_CONFIG_PATH"/*.pc
"$build/tests/make-capture" 1M "$scratch/server.pcap"

builds() { # compiler, flags..., source, program
    # shellcheck disable=SC2046
    "${@:1:$#-2}" -Wall -Wextra -Werror $(pkg-config --cflags pcapreplay check) "${@: -2:1}" -o "${@: -1}" \
        $(pkg-config --libs pcapreplay check)
}
t_check "a user's Check test builds" builds gcc -std=c11 tests/user/replay_check.c "$scratch/replay_check"
t_check "and passes" env CAPTURE="$scratch/server.pcap" "$scratch/replay_check"
if env CAPTURE=tests/user/replay_check.c "$scratch/replay_check" > /dev/null 2>&1; then
    t_not_ok "and fails where it should" "it passes on what is no capture"
else
    t_ok "and fails where it should"
fi
printf '#include <pcapreplay.h>\nint main() { pcapreplay_options o; pcapreplay_options_default(&o); return o.seed != 1; }\n' \
    > "$scratch/one.cc"
t_check "the header serves C++11" builds g++ -std=c++11 "$scratch/one.cc" "$scratch/one"
t_check "the installed command runs" sh -c "\"$dest/usr/local/bin/pcap-replay\" \"$scratch/server.pcap\" | grep -q ' 0 fail'"


# Two runs in one process share nothing, so there is nothing that could be shared: no variable that is not constant.
variables=$(objdump -t "$(find "$dest" -name libpcapreplay.a)" 2> /dev/null |
    awk '$3 == "O" && $4 ~ /^\.(bss|data)/ && $4 !~ /^\.data\.rel\.ro/ { print $NF }')
if [ -z "$variables" ] && objdump -t "$(find "$dest" -name libpcapreplay.a)" | grep -q pcapreplay_run; then
    t_ok "the library has no variables"
else
    t_not_ok "the library has no variables" "$(tr '\n' ' ' <<< "$variables")"
fi

page=$(find "$dest" -name 'pcap-replay.1*')
if [ -z "$page" ]; then
    t_skip "the manual page knows every option" "scdoc is not installed"
else
    missing=
    for option in $("$build/pcap-replay/pcap-replay" --help | grep -oE -e '^ +(-[A-Za-z], )?--[a-z-]+' | grep -oE -e '--[a-z-]+'); do
        grep -q -- "$(printf %s "$option" | sed 's/-/\\\\-/g')" "$page" || grep -q -- "$option" "$page" || missing="$missing $option"
    done
    if [ -z "$missing" ] && grep -q 'EXIT STATUS' "$page"; then
        t_ok "the manual page knows every option"
    else
        t_not_ok "the manual page knows every option" "missing:$missing"
    fi
fi
t_done
