"""Engine builds: which inference library measures, found and named with version and sha256."""
