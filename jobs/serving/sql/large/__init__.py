"""Queries over very large tables, which Spark answers behind the same masks and rows."""
