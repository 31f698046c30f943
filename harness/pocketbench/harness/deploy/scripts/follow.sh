# While files arrive in incoming/TX/o, what is there already is written to the disk and hashed, so that neither has to be
# waited for in the end. A script that sources this has `tx` and `hash`. incoming/TX has
#     sizes        SIZE SHA256 of each object that is hashed whole
#     parts        SHA256 NUMBER END of each part of the larger ones, in the order in which they arrive
#     whole.got    what the hash command wrote of those that have their full size
#     parts.got    HASH SHA256 NUMBER of the parts up to whose end their files have grown
# Here and in arrival.py a part has 8 MiB.
part_blocks=8

# In the background, until it gets SIGTERM, which ends the pause at once, or the script has gone.
follow() {
    stopped= flushing=
    trap 'stopped=1' TERM
    cd "incoming/$tx/o"
    while [ -z "$stopped" ] && kill -0 $$ 2>/dev/null; do
        { sleep 0.1 2>/dev/null || sleep 1; } 8>&- &
        wait $! || true
        [ -z "$stopped" ] || break
        # A slow card may take long, so it must not hold the lock on incoming/TX. Only this file system: each time all of
        # them, which toybox can only do, would be too much.
        if ! kill -0 "$flushing" 2>/dev/null; then
            sync -f . 2>/dev/null 8>&- &
            flushing=$!
        fi
        [ -f ../parts ] || continue
        stat -c '%s %n' * 2>/dev/null | sort - ../sizes | uniq -d | cut -d ' ' -f 2 >../names
        hash_whole
        hash_parts
    done
}

# In incoming/TX/o, when all is there.
hash_rest() {
    cut -d ' ' -f 2 ../sizes >../names
    hash_whole
    hash_parts
}

# hash_whole: those in `names` that were not hashed yet.
hash_whole() {
    [ -s ../names ] || return 0
    if [ -s ../whole.got ]; then
        cut -d ' ' -f 3 ../whole.got >../hashed
        # Those that were hashed twice, so that what is there once is new.
        sort ../names ../hashed ../hashed | uniq -u >../new
    else
        mv ../names ../new
    fi
    if [ -s ../new ]; then "$hash" $(cat ../new) >>../whole.got; fi
}

# hash_parts: one after the other, as far as they are there.
hash_parts() {
    [ -s ../parts ] || return 0
    hashed=$(wc -l <../parts.got)
    seen= size=0
    tail -n +$((hashed + 1)) ../parts >../parts.left
    while read -r name number end; do
        if [ "$name" != "$seen" ] || [ "$size" -lt "$end" ]; then
            seen=$name
            size=$(stat -c %s "$name" 2>/dev/null) || break
        fi
        [ "$size" -ge "$end" ] || break
        found=$(dd if="$name" bs=1048576 skip=$((number * part_blocks)) count=$part_blocks 2>/dev/null | "$hash")
        echo "${found%% *} $name $number" >>../parts.got
    done <../parts.left
}
