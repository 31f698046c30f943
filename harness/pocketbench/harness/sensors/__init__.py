"""What a device can be asked about its state: one file per source, text to numbers with units."""
