"""One module per command of `python -m orchestration`.

Imported by `__main__` only when the command is called.
"""
