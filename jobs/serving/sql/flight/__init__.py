"""Arrow Flight SQL, so that ADBC clients get answers as Arrow batches; the same service, rights and log as PostgreSQL's protocol."""
