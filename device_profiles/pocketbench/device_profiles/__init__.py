"""What is known about kinds of devices."""
