"""Float32 files made smaller by number formats of fewer bits, by the engines' own quantizers."""
