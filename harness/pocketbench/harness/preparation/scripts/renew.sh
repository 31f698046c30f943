# The host lives: another deadline, and everything set once more that somebody else has changed. Arguments: mark of the
# lines, token, lease in seconds, seconds between two looks of the guardian, the guardian's text. Exit code 55 where the
# device is no longer prepared by this token.
mark=$1 token=$2 lease_s=$3 poll_s=$4 guardian_text=$5

renew() {
    read_clock
    read_state && [ "$held_token" = "$token" ] && [ "$held_boot" = "$boot" ] || exit 55
    [ -f "$folder/plan" ] && [ -f "$folder/deadline" ] || exit 55
    echo "$((now + lease_s)) $token" | replace deadline
    if ! find_guardian "$token"; then
        echo "$mark guardian"
        start_guardian "$guardian_text" "$token" "$poll_s" || exit 54
    fi
    while read -r key path want; do
        is_node "$path" && is_value "$want" || continue
        if read_node "$path" && [ "$value" = "$want" ]; then continue; fi
        echo "$mark changed $path"
        show "$mark before"
        follow "$path"
        if set_node "$path" "$want"; then :; fi
        show "$mark found"
        if [ -n "$error" ]; then echo "$mark error $error"; fi
    done <"$folder/plan"
    echo "$mark end"
}

# What the kernel has set since is what would be there without us: that is put back in the end.
follow() {
    is_value "$value" || return 0
    kernels=$value
    grep -q -F "node $1 - " "$folder/state" && return 0
    while read -r key path_of_it ours before; do
        if [ "$key" = node ] && [ "$path_of_it" = "$1" ]; then before=$kernels; fi
        echo "$key${path_of_it:+ $path_of_it}${ours:+ $ours}${before:+ $before}"
    done <"$folder/state" | replace state end
    to_disk
}

{ lock 9; renew; } 9>>"$folder/lock"
