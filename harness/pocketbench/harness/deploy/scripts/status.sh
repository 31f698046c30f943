# Each name with its record in use. Argument: mark of the lines.
mark=$1
cd "$directory" 2>/dev/null || exit 0
for named in deployments/*; do
    [ -d "$named" ] || continue
    echo "$mark name ${named#deployments/}"
    [ -f "$named/current" ] || continue
    id=$(readlink "$named/current")
    for file in "$named/${id%/*}/"*; do
        if [ ! -e "$file" ]; then echo "$mark broken"; break; fi
    done
    echo "$mark record"
    dd if="$named/current" bs=1000001 count=1 2>/dev/null
    echo
done
