"""Store: the SQL database (SQLite or PostgreSQL), the lake of facts (Parquet read by DuckDB) and the log in between."""
