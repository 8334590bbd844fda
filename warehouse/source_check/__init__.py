"""One source read, staged and held against the published warehouse, in seconds and without a
refresh: the command `check-source`.
"""
