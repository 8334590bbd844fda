"""From files as delivered to a published, checked database.

`ingest/` reads files into raw Parquet, `models/`, `macros/`, `seeds/` and `tests/` are the dbt
project, `publication/` publishes a build, `spark/` runs the pair models on Spark. Several
of them use `database` (connections to DuckDB), `hashing`, `sql_text` and `whole_files`.
"""
