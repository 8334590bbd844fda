"""A corpus of small hostile files, made by code; ``python -m tests.warehouse.ingest.hostile`` reads
it and prints what came of each.
"""
