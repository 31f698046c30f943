"""Models written as float32 files that an engine runs."""
