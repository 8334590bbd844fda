"""Loaded once in the process that forks the readers of files: what each of them then has already.

Not for import by anything else: it settles the whole process.
"""

from __future__ import annotations

import gc
import importlib
import os
import resource

# One thread for each reader; malloc instead of a pool that reserves a gigabyte of address space at
# once.
os.environ |= {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "ARROW_IO_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
}
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
# what a parser prints before it aborts is no line of the refresh
silent = os.open(os.devnull, os.O_WRONLY)
os.dup2(silent, 1)
os.dup2(silent, 2)
for module in ("pandas", "warehouse.ingest.layouts", "warehouse.ingest.raw_files"):
    importlib.import_module(module)
# rows of cells hold no cycles, yet the collector would walk over them, and over the modules, again
# and again
gc.disable()
gc.freeze()
