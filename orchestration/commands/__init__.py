"""One module per command of `citysync`.

`orchestration/command.py` imports a module when its command is called.
"""
