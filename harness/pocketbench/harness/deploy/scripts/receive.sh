# receiving TX OLD: call `receive`, then `finish`, with incoming/TX ours: a lock is held on it while a process of this
# script is alive. OLD names what an earlier deployment left, which becomes ours; exit code 46 where it cannot.
stalled_after_s=20

receiving() {
    tx=$1 old=$2
    if [ -n "$old" ]; then
        [ -f "incoming/$old/lock" ] && has flock || exit 46
        from=$old
    elif [ -d "incoming/$tx" ]; then
        from=$tx # an earlier command of the same deployment made it
    else
        # Until it is locked it has a name that is not collected: where the clock jumps it might look old at once.
        from=new-$tx
        mkdir -p "incoming/$from/o" "incoming/$from/root"
    fi
    {
        if [ -n "$old" ]; then
            let_go || take_over "$old" || exit 46
        else
            lock 8
        fi
        [ "$from" = "$tx" ] || mv "incoming/$from" "incoming/$tx" || exit 46
        [ -d "incoming/$tx" ] || exit 46 # taken over or collected between two commands
        if [ -n "$old" ]; then
            rm -rf "incoming/$tx/root"
            mkdir "incoming/$tx/root"
        fi
        process_group >"incoming/$tx/group"
        receive
        rm -f "incoming/$tx/group"
        finish
    } 8>>"incoming/$from/lock"
}

# A receiver whose connection has just ended needs a moment to notice, and to write what adbd still had for it: three
# seconds at most.
let_go() {
    tries=0
    until flock -n 8; do
        tries=$((tries + 1))
        [ "$tries" -lt 30 ] || return 1
        sleep 0.1 2>/dev/null || { sleep 1; tries=$((tries + 9)); }
    done
}

# SSH and ADB servers, and our local transport, start each command in a process group of its own: field 5 of proc(5)
# stat, the third after the name in parentheses.
process_group() {
    read -r line <"/proc/$$/stat"
    set -- ${line##*) }
    echo "$3"
}

# take_over OLD: end a receiver that got nothing for a while. A cable that was pulled leaves one behind that waits for
# the rest; a living one hears from its host more often. `group` is there only while it receives. The lock being held
# says that this process group still exists, so the number is nobody else's.
take_over() {
    [ -f "incoming/$1/group" ] || return 1
    newest=$(stat -c %Y "incoming/$1" "incoming/$1/o" "incoming/$1/o/"* 2>/dev/null | sort -n | tail -n 1)
    [ $(($(date +%s) - newest)) -ge "$stalled_after_s" ] || return 1
    read -r receiver <"incoming/$1/group" || return 1
    case $receiver in '' | *[!0-9]* | 0 | 1) return 1 ;; esac
    kill -9 "-$receiver" 2>/dev/null || return 1
    sleep 1
    flock -n 8
}

# busybox before 1.28 leaves links with ".." out unless it is told to.
EXTRACT_UNSAFE_SYMLINKS=1
export EXTRACT_UNSAFE_SYMLINKS

# unpacked PACKING COMMAND…: the command with standard input unpacked; as it is, without another process in between.
unpacked() {
    packing=$1
    shift
    if [ "$packing" = gzip ]; then gzip -dc | "$@"; else "$@"; fi
}
