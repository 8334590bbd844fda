"""Dagster assets, the stages that they wrap, and the commands of `citysync`.

Holds no formula and no rule of quality; no package of the product imports it.
"""

#: Message for a compiled module that a full disk cut short. It is defined here because any other
#: module may be the damaged one.
DAMAGED = (
    "a compiled module is damaged, as by a disk that was full when it was written; remove the "
    "folder or run `make setup`, then this again"
)
