"""How pocketbench talks to a device."""
