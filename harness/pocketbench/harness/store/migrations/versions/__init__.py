"""One file per revision, named by it."""
