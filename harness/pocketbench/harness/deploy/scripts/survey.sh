# Everything that a deployment wants to know. Arguments: name, deployment id (empty: the one in use), mark of the lines.
name=$1 id=$2 mark=$3

for tool in b2sum cmp cut date df find flock gzip mv sha1sum sha256sum sort stat tar uniq xargs; do
    if has "$tool"; then echo "$mark tool $tool"; fi
done
there=$directory
until [ -d "$there" ]; do
    there=${there%/*}
    there=${there:-/}
done
echo "$mark space"
df -Pk "$there" || true
if ! cd "$directory" 2>/dev/null; then
    echo "$mark end"
    exit 0
fi
current=$(readlink "deployments/$name/current" 2>/dev/null) || current=
echo "$mark current $current"
id=${id:-${current%/deployment.json}}
if [ -n "$id" ] && [ -f "deployments/$name/$id/deployment.json" ]; then
    echo "$mark record"
    dd if="deployments/$name/$id/deployment.json" bs=1000001 count=1 2>/dev/null
    echo
    echo "$mark links"
    stat -L -c '%i %n' "deployments/$name/$id/"* 2>/dev/null || true
fi
if [ -d "work/$name" ]; then echo "$mark work"; fi
echo "$mark objects"
find objects -type f -exec stat -c '%s %Y %Z %i %a %n' {} + 2>/dev/null || true
echo "$mark verified"
cat verified 2>/dev/null || true
echo "$mark incoming"
find incoming -type f -exec stat -c '%s %n' {} + 2>/dev/null || true
echo "$mark end"
