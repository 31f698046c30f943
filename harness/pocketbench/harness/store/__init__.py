"""What was measured: a SQLite database, with every raw sample in Parquet files beside it."""
