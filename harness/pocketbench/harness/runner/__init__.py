"""The runner: a small C program on the device, and the Python side of its protocol."""
