"""The way from a plan to stored measurements, and the command line."""
