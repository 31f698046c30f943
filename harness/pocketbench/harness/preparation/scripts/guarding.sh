# The guardian is a process of the device's own that puts everything back when the host is silent.

# find_guardian: its process number in $pid; false where it is gone. The token in its text says that it is no other
# process with the same number.
find_guardian() {
    pid= mark_of_it=
    read -r pid mark_of_it 2>/dev/null <"$folder/guardian" || return 1
    is_number "$pid" && [ "$pid" -gt 1 ] && [ "$mark_of_it" = "$1" ] && grep -q "$1" "/proc/$pid/cmdline" 2>/dev/null
}

# start_guardian TEXT TOKEN POLL_S: in a session of its own, so that nothing that ends ours ends it too.
start_guardian() {
    rm -f "$folder/guardian"
    if has setsid; then
        setsid sh -c "$1" pocketbench-guardian "$directory" "$sys" "$proc" "$2" "$3" </dev/null >/dev/null 2>&1 9>&- &
    else
        sh -c "$1" pocketbench-guardian "$directory" "$sys" "$proc" "$2" "$3" </dev/null >/dev/null 2>&1 9>&- &
    fi
    tries=0
    until find_guardian "$2"; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || return 1
        pause
    done
}

# With what it waits for: it leads a process group, unless there is no setsid.
end_guardian() {
    if find_guardian "$1"; then
        kill -9 "-$pid" 2>/dev/null || kill -9 "$pid" 2>/dev/null || true
    fi
    rm -f "$folder/guardian"
}
