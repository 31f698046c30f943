"""Settings of a device that make measurements repeatable: made only when asked, kept on record, always put back."""
