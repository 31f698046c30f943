# Make a deployment the one in use, and collect. Arguments: name, deployment id, what `current` is expected to link to
# (empty: nothing), and those of collect. Exit code 47 where it links to something else: somebody switched meanwhile;
# 48 where a file of the deployment is missing. Prints "switched" as soon as it is.
name=$1 id=$2 expected=$3 abandoned_s=$4 partial_s=$5
cd "$directory"

switch() {
    now=$(readlink "deployments/$name/current" 2>/dev/null) || now=
    [ "$now" = "$expected" ] || exit 47
    root=deployments/$name/$id
    for file in "$root"/*; do
        [ -e "$file" ] || exit 48
    done
    rm -f "$root/.current" # left by an earlier switch to the same one that was cut
    ln -s "$id/deployment.json" "$root/.current"
    mv -f "$root/.current" "deployments/$name/current"
    echo switched
}

# What was told to be in use is so after a power cut, too: without this, names could go back by the seconds between two
# commits of the file system's journal. Collected is only what nobody can go back to then.
{ lock 9; switch; sync -f . 2>/dev/null || sync; collect "$abandoned_s" "$partial_s"; } 9>>lock
