"""Read and stage one source and compare it with the published warehouse, in seconds and without a
refresh: the command `check-source`.
"""
