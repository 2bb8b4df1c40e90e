#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# The layers hold: modules include only what is below them, and an upward include does not compile.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh

build=${WISP_BUILD_SAN:-build}

# module: public headers its files may include. The pure machines of dhcp and dns know no stack; their run*
# files drive them on one, and are modules of their own.
allowed() {
    case $1 in
        base) echo "addr clock counter err hash" ;;
        page) echo "page pkt hash" ;;
        ethif | arp) echo "addr clock counter err hash l3 netdev page pkt stack" ;;
        ipv4 | icmp) echo "addr clock counter err hash l3 netdev page pkt stack" ;;
        udp) echo "addr clock counter err hash l3 page pkt stack udp" ;;
        tcp) echo "addr clock counter err hash l3 page pkt stack tcp" ;;
        dhcp) echo "addr clock counter err hash dhcp" ;;
        dhcp-run) echo "addr clock counter err hash l3 page pkt stack udp dhcp dhcp_run" ;;
        dns) echo "addr clock counter err hash dns" ;;
        dns-run) echo "addr clock counter err hash l3 page pkt stack udp tcp dns dns_run" ;;
    esac
}

includes() { # files: public headers named in them
    cat "$@" | grep -oE '#include <wisp/[a-z0-9_]+\.h>' | sed -E 's/.*wisp\/(.*)\.h>/\1/' | sort -u
}

check_module() { # module, files
    local module=$1 strange=
    shift
    for header in $(includes "$@"); do
        case " $(allowed "$module") " in *" $header "*) ;; *) strange="$strange $header" ;; esac
    done
    if [ -z "$strange" ]; then
        t_ok "stack/$module includes no public header above it"
    else
        t_not_ok "stack/$module includes no public header above it" "it includes:$strange"
    fi
}

for folder in stack/*/; do
    module=$(basename "$folder")
    runs=()
    pure=()
    for file in "$folder"*.c "$folder"*.h; do
        [ -e "$file" ] || continue
        case $(basename "$file") in run*) runs+=("$file") ;; *) pure+=("$file") ;; esac
    done
    check_module "$module" "${pure[@]}"
    [ ${#runs[@]} -eq 0 ] || check_module "$module-run" "${runs[@]}"
done

if grep -rlE '#include <wisp/wisp\.h>' stack netdev xen-netfront tap platform apps pcap-replay unikernel 2> /dev/null | grep -q .; then
    t_not_ok "no module includes the umbrella header"
else
    t_ok "no module includes the umbrella header"
fi

if grep -rnE '^\s*#\s*include\s*<(stdio|stdlib|stdatomic|errno|time|unistd)' stack | grep -q .; then
    t_not_ok "the core includes freestanding headers only"
else
    t_ok "the core includes freestanding headers only"
fi

# The compile command of one module, given a header of a module above it, must fail.
upward() { # source file of the lower module, header above
    local command
    command=$(python3 - "$build" "$1" <<'PY'
import json, shlex, sys
build, source = sys.argv[1], sys.argv[2]
for entry in json.load(open(build + "/compile_commands.json")):
    if entry["file"].endswith(source) and "bare" not in entry["output"]:
        words = [w for w in shlex.split(entry["command"]) if not w.startswith("-M")]
        keep = []
        skip = False
        for w in words:
            if skip:
                skip = False
            elif w in ("-o", "-MQ", "-MF", "-c"):
                skip = w != "-c"
            elif not w.endswith(source) and not w.endswith(".d") and not w.endswith(".o"):
                keep.append(w)
        print(" ".join(shlex.quote(w) for w in keep))
        break
PY
)
    [ -n "$command" ] || return 2
    (cd "$build" && echo "#include \"$2\"" | eval "$command" -fsyntax-only -x c -) 2> /dev/null
}

check_upward() {
    upward "$1" "$2"
    case $? in
        0) t_not_ok "$1 cannot include $2" "it compiles" ;;
        2) t_not_ok "$1 cannot include $2" "no compile command for it" ;;
        *) t_ok "$1 cannot include $2" ;;
    esac
}
check_same() { # the control: the same way of compiling accepts an allowed header
    if upward "$1" "$2"; then t_ok "$1 can include $2"; else t_not_ok "$1 can include $2"; fi
}
check_same stack/page/pool.c sum.h
check_upward stack/base/sum.c pkt_priv.h
[ ! -d stack/ipv4 ] || check_upward stack/base/sum.c ipv4.h
[ ! -d stack/tcp ] || check_upward stack/ipv4/ipv4.c seq.h
[ ! -d stack/arp ] || check_upward stack/arp/arp.c ipv4.h
t_done
