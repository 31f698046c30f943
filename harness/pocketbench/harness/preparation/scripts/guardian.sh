# Wait until the deadline has passed, put everything back, and end. Arguments: token, seconds between two looks. It
# looks rather than sleeping through, so that it also ends when it is no longer needed; nobody may be there to end it.
token=$1 poll_s=$2
asked=
trap '' HUP INT
trap 'asked=1' TERM

is_needed() {
    until_s= mark_of_it=
    read -r until_s mark_of_it 2>/dev/null <"$folder/deadline" || return 1
    [ "$mark_of_it" = "$token" ]
}

expire() {
    read_clock
    is_needed && read_state && [ "$held_token" = "$token" ] || exit 0
    # The host may have been heard of while the lock was waited for.
    if is_number "$until_s" && [ "$now" -lt "$until_s" ] && [ -z "$asked" ]; then return 0; fi
    put_back guardian
    rm -f "$folder/guardian"
    exit 0
}

echo "$$ $token" | replace guardian
while is_needed; do
    read_clock
    if ! is_number "$until_s" || [ "$now" -ge "$until_s" ] || [ -n "$asked" ]; then
        { flock 9; expire; } 9>>"$folder/lock"
    fi
    sleep "$poll_s" &
    wait $! || true
    if [ -n "$asked" ]; then kill $! 2>/dev/null || true; fi # else it has ended, and its number may be another's
done
