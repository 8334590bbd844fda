"""After reading the files: every file gave values, and few cells were rejected."""

from expectations.rules import Rule, between, has_rows, not_null

# One row per input file that was taken.
FILES = "input_files"
# One row per taken cell.
CELLS = "observations"

RULES: list[Rule] = [
    has_rows(
        "raw_observations_exist",
        CELLS,
        "stop",
        "No cell of the landing was taken: look at the rejected rows for the reason.",
    ),
    between(
        "raw_file_gives_values",
        FILES,
        "n_observations",
        1,
        None,
        "stop",
        (
            "A file gave not one value: its sheet or columns have probably moved; `citysync "
            "check-source` names what is rejected and why."
        ),
    ),
    between(
        "raw_rejected_share",
        FILES,
        "rejected_share",
        0,
        0.2,
        "warn",
        (
            "More than a fifth of a file's cells were turned away: `citysync check-source` names "
            "them and why."
        ),
    ),
    not_null(
        "raw_cell_ref",
        CELLS,
        "cell_ref",
        "stop",
        "Every value must be traceable to its cell: a reader has lost the address.",
    ),
    not_null(
        "raw_text_kept",
        CELLS,
        "raw_text",
        "stop",
        "The cell's text as delivered must be kept: a reader has lost it.",
    ),
    between(
        "raw_year",
        CELLS,
        "year",
        1949,
        2035,
        "warn",
        "A year outside 1949-2035: a column of another kind may be read as the year.",
    ),
]
