# Remove all deployments of a name, and collect. Arguments: name, and those of collect. Exit code 44: no such name.
name=$1 abandoned_s=$2 partial_s=$3
cd "$directory" 2>/dev/null || exit 44

remove() {
    [ -d "deployments/$name" ] || exit 44
    # The link first: from here on nothing is in use under this name, whatever happens.
    rm -f "deployments/$name/current"
    rm -rf "deployments/$name" "work/$name"
    echo removed
}

{ lock 9; remove; collect "$abandoned_s" "$partial_s"; } 9>>lock
