"""Django's PostgreSQL backend with what Citus needs done differently."""
