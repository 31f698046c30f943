"""Checked input: the errors that name what to do, and YAML read against a schema."""
