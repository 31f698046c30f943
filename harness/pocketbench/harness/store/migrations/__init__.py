"""Alembic's migrations of the store; each file in `versions` goes from one revision to the next."""
