"""Models in, variants out; knows no device."""
