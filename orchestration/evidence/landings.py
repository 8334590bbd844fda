"""Tables of one landing, the same for any publication so that two landings can be compared: where
the weight lies, own outcomes, families of tests, and how many mechanisms were run.
"""

from __future__ import annotations

import duckdb

from estimation.defaults import LEVEL
from orchestration.evidence.figures import interval, p_of, signed, size, table
from warehouse.build_database import rows_of

Con = duckdb.DuckDBPyConnection
NEWEST = "primary.cm_growth_official.newest"
PARTS = {
    "0_to_1": "first two years of a zone",
    "2_and_more": "later years of a zone",
    "before_the_pandemic": "years before the pandemic",
    "in_the_pandemic": "in it",
    "after_the_pandemic": "after it",
}
#: Every default row whose p is corrected in a family, with whether it is found.
CORRECTED = f"""
with corrected as (
    select family, family_size, p_value, p_value_family from estimates.estimate where is_default
    union all by name
    select family, family_size, p_value, p_value_family from estimates.own_outcome
    union all by name
    select distinct family, family_size, p_value, p_value_family from estimates.weight
    union all by name
    select 'growth_and_cycle' as family, 2 as family_size, p_value, p_value_family
    from estimates.primary
    union all by name
    select 'channels' as family, (select count(p_value) from estimates.channel) as family_size,
        p_value, p_value_bh as p_value_family from estimates.channel
)
select family, max(family_size) as family_size, count(*) as n,
    count(*) filter (where p_value < {LEVEL}) as below,
    count(*) filter (where p_value_family < {LEVEL}) as found, min(p_value_family) as smallest
from corrected where p_value_family is not null group by family order by family
"""
MECHANISMS = """
select count(distinct spec_id) as n, min(p_value_family) as smallest
from estimates.estimate where is_default and family = 'mechanisms'
"""


def landing(con: Con) -> str:
    """Return the tables of one landing, each below its title."""
    [run] = rows_of(con, "select run_id, left(started_at::varchar, 10) as day from meta.run")
    [files] = rows_of(
        con, "select count(*) as n, count(distinct source_id) as sources from meta.input_file"
    )
    parts = (
        f"Run {run['run_id']} of {run['day']}: {files['n']} files of {files['sources']} sources.",
        "**Weight**",
        weight(con),
        "**Own outcomes**",
        own_outcomes(con),
        "**Families of tests**",
        families(con),
        mechanisms(con),
    )
    return "\n\n".join(parts)


def weight(con: Con) -> str:
    """Shares of the weight and estimates by years since admission and by period."""
    query = "from estimates.weight where grain in ('ages', 'periods') and spec_id = ?"
    found = {row["name"]: row for row in rows_of(con, query, NEWEST)}
    rows = []
    for name in (name for name in PARTS if name in found):
        row = found[name]
        estimate = row["reason"]
        if row["estimate"] is not None:
            estimate = f"{signed(row['estimate'])} ({size(row['std_error'])})"
        rows.append(
            [
                PARTS[name],
                f"{100 * row['weight']:.0f} %",
                estimate,
                p_of(row["p_value"]),
                p_of(row["p_value_family"]),
            ]
        )
    return table(
        ("part", "weight", "estimate (error)", "p of equality", "corrected for both"),
        rows,
    )


def own_outcomes(con: Con) -> str:
    """Every own outcome in both comparisons, and which were not run."""
    found = rows_of(
        con,
        "from estimates.own_outcome where spec_id = ? "
        "order by family = 'other_own_outcomes', outcome",
        NEWEST,
    )
    rows: dict[str, dict[str, str]] = {}
    not_run = {}
    for row in found:
        name = row["outcome"].replace("_", " ")
        if row["estimate"] is None:
            not_run[name] = row["reason"].removeprefix("Not run: ").rstrip(".")
            continue
        cells = rows.setdefault(f"{name}, {row['first_year']}-{row['last_year']}", {})
        cells[row["comparison"]] = (
            f"{signed(row['estimate'])} ({interval(row)}), {p_of(row['p_value'])}, "
            f"{p_of(row['p_value_family'])}; {size(row['minimum_detectable_family'])}"
        )
    lines = [
        [name, cells.get("all_cities", ""), cells.get("not_yet_treated", "")]
        for name, cells in rows.items()
    ]
    made = table(("outcome", "against all cities", "against those admitted later"), lines)
    if not_run:
        reasons = [f"{name} ({reason})" for name, reason in not_run.items()]
        made += f"\n\nNot run: {', '.join(reasons)}."
    return made


def families(con: Con) -> str:
    """Families with a p below 5 % before correction; of the others how many they are."""
    found = rows_of(con, CORRECTED)
    rows = [
        [
            row["family"].replace("_", " "),
            str(row["family_size"]),
            f"{row['below']} of {row['n']}",
            str(row["found"]),
            p_of(row["smallest"]),
        ]
        for row in found
        if row["below"]
    ]
    header = ("family", "tests", "rows below 5 %", "found", "smallest corrected p")
    return (
        f"{table(header, rows)}\n\nNo row of the other {len(found) - len(rows)} families is below "
        "5 %."
    )


def mechanisms(con: Con) -> str:
    """How many mechanisms were run, and the smallest corrected p of them."""
    [run] = rows_of(con, MECHANISMS)
    if not run["n"]:
        return "No mechanism was run."
    return f"**Mechanisms**: {run['n']} run, smallest corrected p {p_of(run['smallest'])}."
