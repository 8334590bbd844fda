"""Draft a layout for a source that none knows: what a sheet looks like, what its headers mean, the
YAML, and the command `new_source`.
"""
