#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# What `meson install` puts down is enough to build on: programs outside of the tree, by pkg-config alone, as a
# Linux process, as a Xen image, and with a device and clock of their own.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/linux/netns.sh
needs ip nc pkg-config meson python3

dest=$scratch/dest
meson install -C "$release" --no-rebuild --destdir "$dest" > "$scratch/install" 2>&1 || {
    tail -5 "$scratch/install" >&2
    t_not_ok "meson install"
    t_done
}
# The files name the prefix they are configured for; here they lie below another root.
export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$dest" -name wisp.pc)")
sed -i "s|^prefix=|prefix=$dest|" "$PKG_CONFIG_PATH"/*.pc
cp tests/user/*.c "$scratch"
cd "$scratch" || exit 1

t_check "every public header is installed" \
    diff <(cd "$OLDPWD/include/wisp" && ls ./*.h) <(cd "$dest"/usr/local/include/wisp && ls ./*.h)
t_check "the version pkg-config tells is the headers'" \
    sh -c "echo 'WISP_VERSION_STRING' | gcc -E -P -include wisp/version.h \$(pkg-config --cflags wisp) - |
        grep -qx \"\\\"\$(pkg-config --modversion wisp)\\\"\""

builds() { # packages, compiler, flags..., source, program
    local package=$1
    shift
    # shellcheck disable=SC2046,SC2086
    "${@:1:$#-2}" -Wall -Wextra -Werror $(pkg-config --cflags $package) "${@: -2:1}" -o "${@: -1}" \
        $(pkg-config --libs $package)
}
t_check "wisp: a program with a device of its own builds as C11" builds wisp gcc -std=c11 embed.c embed
t_check "and runs" ./embed
cp embed.c embed.cc
t_check "the same builds as C++11" builds wisp g++ -std=c++11 embed.cc embed++
t_check "and runs" ./embed++
t_check "wisp-linux: a server builds as a process" builds wisp-linux gcc -std=c11 hello.c hello
app_start "$scratch/hello"
t_check "and greets Linux over a tap" sh -c 'nc -w 60 10.0.0.2 13 < /dev/null | grep -q "^hello from wisp"'
listens_on() { # half-close, we first: all that Linux sends after our FIN arrives
    python3 - <<'PY' && until_ok grep -q '300000 bytes heard: ok' "$app_log"
import socket
s = socket.create_connection(("10.0.0.2", 13), 60)
assert s.makefile("rb").read().startswith(b"hello from wisp")
s.sendall(b"x" * 300000)
s.close()
PY
}
t_check "which closes its side first and hears 300000 bytes after that" listens_on
app_stop "its end is orderly"
t_check "it answers --help" sh -c "./hello --help | grep -q -e --tap="

# Each function of the installed headers, by the compiler's own list of them, called from C++ by its C name.
headers='wisp/wisp.h pcapreplay.h'
every_function() { # include flags...
    local header
    for header in $headers; do echo "#include <$header>"; done > every.h
    gcc "$@" -x c -fsyntax-only -aux-info every.protos every.h || return 1
    grep -oE '\b(wisp|pcapreplay)_[a-z0-9_]+ \(' every.protos | tr -d ' (' | sort -u > every.names
    {
        cat every.h
        echo 'const struct wisp_app wisp_app = {"every", "", 0, 0};'
        echo 'int wisp_app_main() { return 0; }'
        echo 'typedef void (*any)();'
        echo 'extern any every[];'
        echo 'any every[] = {'
        sed 's/.*/    reinterpret_cast<any>(\&::&),/' every.names
        echo '};'
    } > every.cc
}
# shellcheck disable=SC2046
every_function $(pkg-config --cflags wisp-linux pcapreplay)
t_check "the headers' functions are found" [ "$(wc -l < every.names)" -gt 180 ]
t_check "a C++11 program links with every one of them" builds "wisp-linux pcapreplay" g++ -std=c++11 every.cc every
# The same without extern "C" around one of them, to see that it would show.
cp -r "$dest/usr/local/include" mangled
sed -i 's/extern "C"/extern "C++"/' mangled/wisp/err.h
mangles() {
    ! builds "wisp-linux pcapreplay" g++ -std=c++11 -Imangled every.cc every 2> mangled.log &&
        grep -q 'undefined reference to .wisp_err_text(wisp_err)' mangled.log
}
t_check "a header without extern C shows" mangles

if [ -e "$PKG_CONFIG_PATH/wisp-xen.pc" ]; then
    t_check "wisp-xen: the same source builds as an image" builds wisp-xen gcc -std=c11 -Os hello.c hello.xen
    t_check "with both entries in its notes" sh -c "readelf -nW hello.xen | grep -c '^  Xen' | grep -qx 10"
    t_check "with TCP, and without UDP, which it does not name" \
        sh -c "nm hello.xen > names && grep -q ' wisp_tcp_' names && ! grep -q ' wisp_udp_' names"
else
    t_skip "wisp-xen: the same source builds as an image" "no images here"
fi
t_done
