# put_back BY: everything of `state` as it was, written down in `last`. What does not go back stays in `state` for the
# next try. Under the lock, after read_clock and read_state. It may be cut anywhere and begun again.
put_back() {
    same_boot=
    if [ "$held_boot" = "$boot" ]; then same_boot=1; fi
    # Twice: before Linux 5.3 a lowest frequency above the highest is refused, whichever was written first.
    each_node write_back
    {
        echo "format 1"
        echo "token $held_token"
        echo "by $1"
        echo "uptime $now"
        echo "time $(date -u +%Y-%m-%dT%H:%M:%SZ)"
        each_node confirm_back
        echo end
    } | replace last end
    if grep -q '^status failed$' "$folder/last"; then
        { grep -v '^node ' "$folder/state" | grep -v '^end$'; failed_nodes; echo end; } | replace state end
    else
        rm -f "$folder/state" "$folder/plan"
    fi
    rm -f "$folder/deadline"
    to_disk
}

# each_node FUNCTION: called with NODE, what is ours of it (`-`: whatever it says), and what it said before.
each_node() {
    while read -r key path ours before; do
        if [ "$key" = node ] && is_node "$path" && is_value "$before"; then "$1" "$path" "$ours" "$before"; fi
    done <"$folder/state"
}

# A restart has put back what is the kernel's, and keeps what is Android's.
is_gone() {
    case $1 in setting/*) return 1 ;; esac
    [ -z "$same_boot" ]
}

write_back() {
    ! is_gone "$1" || return 0
    # A fan that says something else is the kernel's again.
    if [ "$2" != - ]; then
        read_node "$1" && [ "$value" = "$2" ] || return 0
    fi
    write_node "$1" "$3" >/dev/null 2>&1 || true
}

confirm_back() {
    echo "node $1"
    echo "value $3"
    error=
    read_node "$1" || value=
    if is_gone "$1"; then
        echo "status rebooted"
    elif [ "$value" = "$3" ]; then
        echo "status restored"
    elif [ "$2" != - ] && [ -n "$value" ] && [ "$value" != "$2" ]; then
        echo "status left"
    elif [ "$2" = - ] && set_node "$1" "$3"; then
        echo "status restored"
    else
        echo "status failed"
    fi
    show "found"
    if [ -n "$error" ]; then echo "error $error"; fi
}

failed_nodes() {
    node=
    while read -r key rest; do
        case $key in
            node) node=$rest ;;
            status) if [ "$rest" = failed ]; then grep -F "node $node " "$folder/state"; fi ;;
        esac
    done <"$folder/last"
}
