# The beginning of every script here. They run in dash, busybox ash, bash and mksh with the tools of busybox, coreutils
# or toybox, as root where files of the kernel are written. Values come as arguments or from files of ours, and each is
# checked again where it is used: what root does must not depend on who can write to our directory.
# $1 is our directory, $2 and $3 are where sysfs and procfs are. Exit codes from 41 on are ours: see device_scripts.py.
#
# Below our directory, in preparation/:
#     lock        held by whoever changes any of this (flock)
#     state       who has prepared the device in which boot, and what was there before, in the order of putting back
#     plan        what is set, in the order of setting
#     deadline    the second of /proc/uptime at which the guardian puts everything back, and the token
#     guardian    process number of the guardian, and the token
#     last        what was put back last, by whom and when
set -eu
LC_ALL=C
export LC_ALL
umask 022
directory=$1 sys=$2 proc=$3
shift 3
folder=$directory/preparation
newline='
'

has() {
    command -v "$1" >/dev/null 2>&1
}

is_number() {
    case $1 in '' | *[!0-9]*) return 1 ;; esac
    [ "${#1}" -le 12 ]
}

is_token() {
    case $1 in '' | *[!0-9a-f]*) return 1 ;; esac
}

# lock FD: wait until nobody else holds the file that FD is open on. The kernel frees it with the last process that has
# it open, however that ends.
lock() {
    has flock || exit 57
    tries=0
    until flock -n "$1"; do
        tries=$((tries + 1))
        if [ "$tries" -ge 300 ]; then exit 45; fi
        pause
    done
}

pause() {
    sleep 0.1 2>/dev/null || sleep 1 # POSIX knows whole seconds only
}

# read_clock: $now in seconds since the boot $boot. No clock that somebody may set takes part in this.
read_clock() {
    read -r now rest 2>/dev/null <"$proc/uptime" || exit 51
    read -r boot 2>/dev/null <"$proc/sys/kernel/random/boot_id" || exit 51
    now=${now%%.*}
    is_number "$now" || exit 51
    case $boot in '' | *[!0-9a-f-]*) exit 51 ;; esac
}

# replace FILE [end]: standard input becomes FILE of our folder, whole or not at all: with `end`, only where it has that
# line, without which whoever wrote it did not come to its end. A link that lies there is not followed.
replace() {
    rm -f "$folder/$1.new"
    (set -C && cat >"$folder/$1.new")
    [ -z "${2:-}" ] || grep -q '^end$' "$folder/$1.new"
    mv -f "$folder/$1.new" "$folder/$1"
}

# Onto the disk: GNU and busybox can do one file system, the others all.
to_disk() {
    sync -f "$folder" 2>/dev/null || sync
}

# read_state: $held_boot, $held_token and $holder of `state`; false where there is none that can be read.
read_state() {
    held_boot= held_token= holder=
    [ -f "$folder/state" ] || return 1
    complete=
    while read -r key rest; do
        case $key in
            boot) held_boot=$rest ;;
            token) held_token=$rest ;;
            holder) holder=$rest ;;
            end) complete=1 ;;
        esac
    done <"$folder/state"
    [ -n "$complete" ] && is_token "$held_token"
}
