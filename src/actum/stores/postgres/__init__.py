"""The journal in PostgreSQL: many processes on many machines. The driver, psycopg, comes with `actum[postgres]`."""
