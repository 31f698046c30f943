# For a user who is no longer given root's rights: the guardian, which still has them, is to put everything back at its
# next look. Argument: token.
read -r deadline token <"$folder/deadline"
if [ "$token" = "$1" ]; then echo "0 $1" | replace deadline; fi
