#!/bin/sh
# Run by the PostgreSQL image when its volume is empty: one user and database each for the lake's state and Airflow.
set -eu
for name in lake airflow; do
  password=$(eval "printf %s \"\$$(printf %s "$name" | tr '[:lower:]' '[:upper:]')_DB_PASSWORD\"")
  psql -v ON_ERROR_STOP=1 -v name="$name" -v password="$password" -U "$POSTGRES_USER" -d postgres <<'SQL'
CREATE USER :"name" PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
SQL
done
