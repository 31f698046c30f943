# collect ABANDONED_S PARTIAL_S, under the lock of our directory: remove what nobody needs. Kept are, of every name, the
# deployment in use, the one before, and those made within ABANDONED_S seconds; what these link to; and, for PARTIAL_S
# seconds, what a deployment that was cut had brought, and the files of a launch. Times are the device's own, on both
# sides of the comparison. Nothing is touched whose name is not one that we give.
collect() {
    abandoned_s=$1 partial_s=$2
    now=$(date +%s)
    collect_leftovers
    has flock || { echo "no flock: no old deployment is removed (see deploy status)" >&2; return 1; }
    scratch=incoming/.collect
    rm -rf "$scratch"
    mkdir -p "$scratch" objects
    : >"$scratch/kept"
    stat -c '%Y %n' deployments/*/*/deployment.json >"$scratch/roots" 2>/dev/null || true
    last=
    while read -r made path; do
        root=${path%/deployment.json}
        is_ours "$root" || continue
        if [ "${root%/*}" != "$last" ]; then
            last=${root%/*}
            look_up "$last"
        fi
        if is_needed "${root##*/}"; then
            echo "$root" >>"$scratch/kept"
        else
            rm -rf "$root"
        fi
    done <"$scratch/roots"
    collect_objects
    collect_incoming
    for named in deployments/*; do
        # Stays where it is not empty.
        if [ -d "$named" ] && [ ! -L "$named/current" ]; then rmdir "$named" 2>/dev/null || true; fi
    done
    rm -rf "$scratch"
}

# deployments/NAME/20260102T030405Z-0123456789ab-01234567
is_ours() {
    case $1 in
        deployments/*/*/*) return 1 ;;
        deployments/*/[0-9]*T[0-9]*Z-*-*) ;;
        *) return 1 ;;
    esac
    case ${1#deployments/} in
        *[!A-Za-z0-9._+/-]*) return 1 ;;
    esac
}

# look_up deployments/NAME: the ids `current` and `previous`; `unknown` where the record cannot be read.
look_up() {
    current= previous= unknown=
    current=$(readlink "$1/current" 2>/dev/null) || return 0
    current=${current%/deployment.json}
    record=$(dd if="$1/current" bs=4096 count=1 2>/dev/null) || record=
    case $record in
        *\"previous_id\":null*) ;;
        *\"previous_id\":\"*)
            previous=${record#*\"previous_id\":\"}
            previous=${previous%%\"*}
            ;;
        *) unknown=1 ;;
    esac
}

is_needed() {
    [ -z "$unknown" ] || return 0
    [ "$1" != "$current" ] && [ "$1" != "$previous" ] || return 0
    [ $((now - made)) -lt "$abandoned_s" ]
}

collect_objects() {
    : >"$scratch/needed"
    if [ -s "$scratch/kept" ]; then
        xargs ls -l <"$scratch/kept" >"$scratch/links"
        # lrwxrwxrwx 1 shell shell 84 2026-01-02 03:04 model.onnx -> ../../../objects/0123...
        sed -n 's|^l.* -> \.\./\.\./\.\./objects/\([0-9a-f]*\)$|\1|p' "$scratch/links" >"$scratch/needed"
    fi
    ls objects >"$scratch/objects"
    # The needed ones twice, so that what is there once is not needed.
    cat "$scratch/needed" "$scratch/needed" "$scratch/objects" | sort | uniq -u |
        grep -E '^[0-9a-f]{64}$' | sed 's|^|objects/|' >"$scratch/garbage"
    [ -s "$scratch/garbage" ] || return 0
    xargs rm -f <"$scratch/garbage"
    if [ -f verified ]; then
        find objects -type f -exec stat -c '%s %Y %Z %i %a %n' {} + | sort -u >"$scratch/facts"
        sort -u verified >"$scratch/verified"
        sort "$scratch/verified" "$scratch/facts" | uniq -d >"$scratch/still"
        mv -f "$scratch/still" verified
    fi
}

# Files of a single launch or copy have random names, so nobody else's decisions depend on them: no lock is needed.
hex4='[0-9a-f][0-9a-f][0-9a-f][0-9a-f]'
hex16=$hex4$hex4$hex4$hex4

collect_leftovers() {
    for folder in . work/*; do
        [ -d "$folder" ] && [ ! -L "$folder" ] || continue
        # What a push was writing (transports/), what a launch reads and writes (runner/client.py), and the push of
        # that to this computer (transports/whole_file.py).
        for left in "$folder"/.pocketbench-$hex16 "$folder"/.$hex16.[a-z]* "$folder"/..$hex16.[a-z]*; do
            [ -f "$left" ] && [ ! -L "$left" ] || continue
            made=$(stat -c %Y "$left" 2>/dev/null) || continue
            if [ $((now - made)) -ge "$partial_s" ]; then rm -f "$left"; fi
        done
    done
}

collect_incoming() {
    for left in incoming/*; do
        case ${left#incoming/} in *[!0-9a-f]* | '') continue ;; esac
        [ -d "$left" ] || continue
        {
            if flock -n 8; then
                newest=$(stat -c %Y "$left" "$left/o" "$left/o/"* 2>/dev/null | sort -n | tail -n 1)
                if [ $((now - newest)) -ge "$partial_s" ]; then rm -rf "$left"; fi
            fi
        } 8>>"$left/lock"
    done
}
