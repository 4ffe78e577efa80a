"""PostgreSQL's protocol, version 3, in front of the SQL service: the part that psql, psycopg and JDBC need to read."""
