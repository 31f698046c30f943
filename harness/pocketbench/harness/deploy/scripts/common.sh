# The beginning of every script here. They run in dash, busybox ash, bash and mksh with the tools of busybox, coreutils
# or toybox (Android since 7.0: AOSP shell_and_utilities/README.md). Values come as arguments or on standard input only.
# $1 is our directory. Exit codes from 41 on are ours: see scripts.py.
set -eu
LC_ALL=C
export LC_ALL
directory=$1
shift

has() {
    command -v "$1" >/dev/null 2>&1
}

# lock FD: wait until nobody else holds the file that FD is open on. The kernel frees it with the last process that
# has it open, however that ends. Where there is no flock nothing is ever collected or taken over, so nothing can
# be taken away from under us.
lock() {
    has flock || return 0
    tries=0
    until flock -n "$1"; do
        tries=$((tries + 1))
        if [ "$tries" -ge 600 ]; then exit 45; fi
        sleep 0.1 2>/dev/null || sleep 1 # POSIX knows whole seconds only
    done
}

