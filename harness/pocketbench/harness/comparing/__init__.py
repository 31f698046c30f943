"""Two campaigns against each other: what changed from A to B, under which different conditions, and is it too much."""
