#!/bin/sh
# Cosmo's user and databases in PostgreSQL: made where they are missing, and left as they are otherwise. psql reads the
# password from its environment, so it is in no argument; the server is told not to log these statements.
set -eu
export PGPASSWORD="$POSTGRES_PASSWORD"
exec psql --no-psqlrc --quiet --tuples-only --set=ON_ERROR_STOP=1 --host="${PGHOST:-postgres}" --port="${PGPORT:-5432}" \
  --username="$POSTGRES_USER" --dbname=postgres --output=/dev/null <<'END'
\getenv name COSMO_POSTGRES_USER
\getenv word COSMO_POSTGRES_PASSWORD
\getenv store COSMO_POSTGRES_DB
SET log_statement = 'none';
SET log_min_duration_statement = -1;
SET log_min_error_statement = 'panic';
SELECT format('CREATE ROLE %I LOGIN PASSWORD %L', :'name', :'word')
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \gexec
SELECT format('CREATE DATABASE %I OWNER %I', wanted, :'name') FROM unnest(ARRAY[:'store', 'keycloak']) AS wanted
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = wanted) \gexec
\echo :store and keycloak are there, owned by :name
END
