# Collect only. Arguments: those of collect.
cd "$directory"

{ lock 9; collect "$1" "$2"; } 9>>lock
