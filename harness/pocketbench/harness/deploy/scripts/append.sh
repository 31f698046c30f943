# Append standard input to one file under way. Arguments: TX, OLD, sha256, bytes that are there already, mode, gzip or
# plain. Prints the bytes that are there then.
sha256=$3 offset=$4 mode=$5 packing=$6
mkdir -p "$directory"
cd "$directory"

receive() {
    file=incoming/$tx/o/$sha256
    if [ "$offset" -eq 0 ]; then
        rm -f "$file"
    else
        [ "$(wc -c <"$file")" -eq "$offset" ] || exit 46
        chmod 644 "$file"
    fi
    unpacked "$packing" cat >>"$file"
    chmod "$mode" "$file"
}

finish() {
    wc -c <"$file"
}

receiving "$1" "$2"
