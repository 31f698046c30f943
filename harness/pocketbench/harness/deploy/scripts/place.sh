# Take a tar from standard input, verify what came, make a deployment of it that is not in use yet. Arguments: TX, OLD,
# name, deployment id, hash command, gzip or plain. The tar has
#     root/...     the deployment: its record, and links to objects by name
#     expected     the hash of each object that was sent, now or earlier, as the hash command writes it
#     executable   objects that are here already and are to become executable
#     o/SHA256     objects
#     complete     the last member
# Exit code 43 and the hashes where one is wrong, 48 where the stream was not complete or an object has gone.
name=$3 id=$4 hash=$5 packing=$6
mkdir -p "$directory"
cd "$directory"

receive() {
    rm -f "incoming/$tx/complete"
    # The names in it are ours. Told so, GNU tar need not put links with ".." off to the end, which takes as long again.
    case $(tar --version 2>/dev/null) in *GNU*) options=-xomPf ;; *) options=-xomf ;; esac
    (cd "incoming/$tx" && unpacked "$packing" tar "$options" -)
    [ -e "incoming/$tx/complete" ] || exit 48
}

finish() {
    # Before anything refers to it: a power cut must not leave names of files that never came to the disk, of which the
    # deployment's record is one where no object was sent. GNU and busybox can do one file system, the others all. The
    # disk works while the processor hashes.
    { sync -f . 2>/dev/null || sync; } &
    sent=$(cut -d ' ' -f 3 "incoming/$tx/expected")
    if [ -n "$sent" ]; then
        (cd "incoming/$tx/o" && "$hash" $sent >../got) || true
        if ! cmp -s "incoming/$tx/expected" "incoming/$tx/got"; then
            cat "incoming/$tx/got"
            exit 43
        fi
    fi
    wait
    { lock 9; place; } 9>>lock
    rm -rf "incoming/$tx"
}

place() {
    mkdir -p objects "deployments/$name" "work/$name"
    if [ -n "$sent" ]; then
        (cd "incoming/$tx/o" && mv -f $sent ../../../objects/)
        (cd objects && stat -c '%s %Y %Z %i %a objects/%n' $sent) >>verified
    fi
    if [ -s "incoming/$tx/executable" ]; then
        (cd objects && chmod 555 $(cat "../incoming/$tx/executable")) || exit 48
    fi
    # As deep as they will be: deployments/NAME/ID/FILE
    for link in "incoming/$tx/root/"*; do
        [ -e "$link" ] || exit 48
    done
    mv "incoming/$tx/root" "deployments/$name/$id"
}

receiving "$1" "$2"
