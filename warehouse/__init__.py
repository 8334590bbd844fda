"""From files as delivered to a published, checked database.

`ingest/` reads files into raw Parquet, `models/`, `macros/`, `seeds/` and `tests/` are the dbt
project, `publication/` publishes a build, `spark/` runs the pair models on Spark. Beside them
stands what several of them use: `hashing`, `sql_text`, `whole_files`, `build_database`.
"""
