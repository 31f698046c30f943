# Put everything back now. Argument: token. Standard input says by whom. Prints what was put back last: the guardian may have done it before,
# or nobody ever. Exit code 55 where the device is prepared by another token, 58 where its record is damaged.
token=$1
read -r by || by=unknown

restore() {
    read_clock
    if read_state; then
        [ "$held_token" = "$token" ] || exit 55
        end_guardian "$token"
        put_back "$by"
    elif [ -f "$folder/state" ]; then
        # Written whole or not at all: a disk has lost it, and nothing can be known of it.
        rm -f "$folder/state" "$folder/plan" "$folder/deadline"
        exit 58
    fi
    if [ -f "$folder/last" ]; then cat "$folder/last"; fi
}

{ lock 9; restore; } 9>>"$folder/lock"
