"""Dagster assets, the stages that they wrap, and the commands of `citysync`.

Holds no formula and no rule of quality; no package of the product imports it.
"""

#: What a disk that was full leaves of a module that Python compiles: it is renamed into place all
#: the same. Here, so that it can be said where any other module is damaged.
DAMAGED = (
    "a compiled module is damaged, as by a disk that was full when it was written; remove the "
    "folder or run `make setup`, then this again"
)
