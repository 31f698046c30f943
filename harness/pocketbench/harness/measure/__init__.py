"""What launches say: the order they run in, and what their latencies mean together."""
