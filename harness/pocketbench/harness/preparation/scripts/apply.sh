# Prepare the device. Arguments: mark of the lines, token, lease in seconds, seconds between two looks of the guardian,
# the guardian's text. Standard input is the plan; who asks for it is no argument, which a replay must repeat:
#     holder HOLDER
#     since TIME          at the host
#     save NODE OURS      what is there now is put back in this order; OURS: only while it says that, `-`: always
#     set NODE VALUE      in this order
# Exit code 52 and the holder where somebody else's lease is running, 53 where something is left to put back, 54 where
# the guardian does not start, 56 and the node where what is there now could not be put back. Nothing is changed then.
mark=$1 token=$2 lease_s=$3 poll_s=$4 guardian_text=$5
is_token "$token"

apply() {
    read_clock
    if [ -f "$folder/state" ]; then
        read_state || exit 53
        read -r deadline rest 2>/dev/null <"$folder/deadline" || deadline=0
        is_number "$deadline" || deadline=0
        [ "$held_boot" = "$boot" ] && [ "$now" -lt "$deadline" ] || exit 53
        echo "$holder"
        exit 52
    fi
    grep '^save ' "$folder/incoming.$token" >"$folder/saves.$token" || true
    {
        echo "format 1"
        echo "boot $boot"
        echo "token $token"
        grep '^holder ' "$folder/incoming.$token"
        grep '^since ' "$folder/incoming.$token"
        save_all
        echo end
    } >"$folder/draft.$token"
    [ -z "$(grep '^unreadable ' "$folder/draft.$token")" ] || {
        sed -n 's/^unreadable //p' "$folder/draft.$token" >&2
        exit 56
    }
    grep '^set ' "$folder/incoming.$token" | replace plan
    echo "$((now + lease_s)) $token" | replace deadline
    # Before anything is changed it is on the disk what is to be put back, and somebody is there to do so.
    replace state end <"$folder/draft.$token"
    to_disk
    if ! start_guardian "$guardian_text" "$token" "$poll_s"; then
        end_guardian "$token"
        rm -f "$folder/state" "$folder/plan" "$folder/deadline"
        exit 54
    fi
    : | replace accepted
    set_all
    mv -f "$folder/accepted" "$folder/plan"
    echo "$mark end"
}

save_all() {
    while read -r key path ours; do
        if is_node "$path" && read_node "$path" && is_value "$value"; then
            echo "node $path $ours $value"
        else
            echo "unreadable $path"
        fi
    done <"$folder/saves.$token"
}

set_all() {
    while read -r key path want; do
        is_node "$path" && is_value "$want" || continue
        echo "$mark set $path"
        # What the kernel does not take is not asked for again.
        if set_node "$path" "$want"; then echo "set $path $want" >>"$folder/accepted"; fi
        show "$mark found"
        if [ -n "$error" ]; then echo "$mark error $error"; fi
    done <"$folder/plan"
}

tidy() {
    rm -f "$folder/incoming.$token" "$folder/saves.$token" "$folder/draft.$token" "$folder/accepted"
}

trap tidy EXIT
cat | replace "incoming.$token"
{ lock 9; apply; } 9>>"$folder/lock"
