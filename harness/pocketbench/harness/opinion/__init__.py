"""A second opinion: the user's own benchmark program on the same file, its output read strictly."""
