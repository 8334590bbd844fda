"""Policy texts, in this order: bytes to text (`files`), clean text (`cleaning`), clauses, metadata,
Parquet (`documents`).

`pool` runs this for many files on several cores. What a clause is about is not decided here, but by
`estimation/measures/policy_tools.py`.
"""
