"""Which devices there are, how they are reached, and what they say of themselves."""
