"""Files as delivered to raw Parquet, one row per delivered cell.

`landing` walks a landing and writes; `delivered_files` says what a path means, `layouts` what the
files of a source look like. Bytes become cells in `formats/`, cells become rows in `sheets/` (by a
layout) or `tidy` (without one), texts become clauses in `policy/`. `cells/` reads single cells and
columns, `raw_table` and `landing_report` are the tables written. `drafting/` drafts a layout,
`simulation/` makes up a landing. Places, codes and units are resolved later, in
`models/intermediate/raw`.
"""
