"""Tables of one landing, the same for any publication so that two landings can be compared: where
the weight lies, own outcomes, and families of tests.
"""

from __future__ import annotations

import duckdb

from estimation.defaults import LEVEL
from orchestration.evidence.figures import interval, p_of, signed, size
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
#: Who an own outcome is compared with.
COMPARISONS = {
    "all_cities": "all cities of the province",
    "not_yet_treated": "those admitted later",
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


def landing(con: Con) -> str:
    """Say which run it is, and how many files it read."""
    [run] = rows_of(con, "select run_id, left(started_at::varchar, 10) as day from meta.run")
    [files] = rows_of(
        con, "select count(*) as n, count(distinct source_id) as sources from meta.input_file"
    )
    return f"Run {run['run_id']} of {run['day']}: {files['n']} files of {files['sources']} sources."


def weight(con: Con) -> list[list[str]]:
    """Shares of the weight and estimates by years since admission and by period."""
    query = "from estimates.weight where grain in ('ages', 'periods') and spec_id = ?"
    found = {row["name"]: row for row in rows_of(con, query, NEWEST)}
    rows = [["part", "weight", "estimate (error)", "p of equality", "corrected for both"]]
    for name in (name for name in PARTS if name in found):
        row = found[name]
        estimate = row["reason"]
        if row["estimate"] is not None:
            estimate = f"{signed(row['estimate'])} ({size(row['std_error'])})"
        share = f"{100 * row['weight']:.0f} %"
        rows.append(
            [PARTS[name], share, estimate, p_of(row["p_value"]), p_of(row["p_value_family"])]
        )
    return rows


def own_outcomes(con: Con) -> list[list[str]]:
    """Every own outcome in both comparisons, or why it was not run."""
    found = rows_of(
        con,
        "from estimates.own_outcome where spec_id = ? "
        "order by family = 'other_own_outcomes', outcome, comparison",
        NEWEST,
    )
    rows = [["outcome", "compared with", "estimate (95 %)", "p", "corrected p", "found in 80 %"]]
    for row in found:
        name = row["outcome"].replace("_", " ")
        against = COMPARISONS[row["comparison"]]
        if row["estimate"] is None:
            rows.append([name, against, row["reason"], "", "", ""])
            continue
        rows.append(
            [
                f"{name}, {row['first_year']}-{row['last_year']}",
                against,
                f"{signed(row['estimate'])} ({interval(row)})",
                p_of(row["p_value"]),
                p_of(row["p_value_family"]),
                size(row["minimum_detectable_family"]),
            ]
        )
    return rows


def families(con: Con) -> list[list[str]]:
    """How many rows of each family are below 5 % before correction, and are found."""
    rows = [["family", "tests", "rows below 5 %", "found", "smallest corrected p"]]
    for row in rows_of(con, CORRECTED):
        name = row["family"].replace("_", " ")
        below = f"{row['below']} of {row['n']}"
        smallest = p_of(row["smallest"])
        rows.append([name, str(row["family_size"]), below, str(row["found"]), smallest])
    return rows
