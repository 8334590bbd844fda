"""Leave out what an earlier run did from the same input.

`fingerprint` hashes what each stage depends on, `plan` decides what is left to do, `unit_cache`
keeps the rows of units of the study.
"""
