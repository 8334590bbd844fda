"""What one landing says of where the weight lies, of own outcomes, of families of tests and of the
years of mechanisms: the same tables for any publication, so that two landings stand beside each
other.
"""

from __future__ import annotations

import duckdb

from estimation.defaults import LEVEL
from orchestration.evidence.figures import interval, p_of, rows_of, signed, size, table

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
select spec_id, estimate, ci_low, ci_high, p_value, p_value_family,
    max(value) filter (where diagnostic = 'sample_first_year')::int as first_year,
    max(value) filter (where diagnostic = 'sample_last_year')::int as last_year
from estimates.estimate join estimates.diagnostic using (spec_id)
where is_default and family = 'mechanisms' group by all order by spec_id
"""
PAIRS = """
select min("year") as first_year, max("year") as last_year from marts.{name}
"""


def landing(con: Con) -> str:
    """Return the tables of one landing, each below its title."""
    [run] = rows_of(con, "select run_id, left(started_at::varchar, 10) as day from meta.run")
    [files] = rows_of(
        con, "select count(*) as n, count(distinct source_id) as sources from meta.input_file"
    )
    parts = (
        f"Run {run['run_id']} of {run['day']}: {files['n']} files of {files['sources']} sources.",
        "**Where the weight lies**, growth in the newest window, with one p of equality for each "
        "comparison",
        weight(con),
        "**What zones did first**",
        own_outcomes(con),
        "**Families of tests**, each corrected by itself",
        families(con),
        "**Mechanisms on the years that they have**",
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
    return table(("part", "weight", "estimate (error)", "p of equality", "corrected"), rows)


def own_outcomes(con: Con) -> str:
    """Every own outcome in both comparisons; of one that was not run, why."""
    found = rows_of(
        con,
        "from estimates.own_outcome where spec_id = ? "
        "order by family = 'other_own_outcomes', outcome, comparison",
        NEWEST,
    )
    rows = []
    for row in found:
        name = row["outcome"].replace("_", " ")
        compared = row["comparison"].replace("_", " ")
        if row["estimate"] is None:
            rows.append([name, compared, row["reason"], "", "", ""])
            continue
        rows.append(
            [
                f"{name}, {row['first_year']}-{row['last_year']}",
                f"{compared} ({row['n_pilots']} of {row['n_cities']} cities treated)",
                f"{signed(row['estimate'])} ({interval(row)})",
                p_of(row["p_value"]),
                p_of(row["p_value_family"]),
                size(row["minimum_detectable_family"]),
            ]
        )
    header = ("outcome", "compared with", "estimate (95 %)", "p", "corrected", "found in 80 %")
    return table(header, rows)


def families(con: Con) -> str:
    """How many tests of each family are below 5 % before and after correction."""
    rows = [
        [
            row["family"].replace("_", " "),
            str(row["family_size"]),
            str(row["n"]),
            str(row["below"]),
            str(row["found"]),
            p_of(row["smallest"]),
        ]
        for row in rows_of(con, CORRECTED)
    ]
    header = ("family", "tests", "rows", "below 5 % before", "found", "smallest corrected p")
    return table(header, rows)


def mechanisms(con: Con) -> str:
    """Mechanisms with the years of their samples, and the years of the tables of pairs."""
    rows = [
        [
            f"`{row['spec_id'].partition('.')[2]}`",
            f"{row['first_year']}-{row['last_year']}",
            f"{signed(row['estimate'])} ({interval(row)})",
            p_of(row["p_value"]),
            p_of(row["p_value_family"]),
        ]
        for row in rows_of(con, MECHANISMS)
    ]
    years = []
    for name in ("fct_pair_synchronization", "panel_pair_year"):
        [pairs] = rows_of(con, PAIRS.format(name=name))
        years.append(f"`{name}` holds {pairs['first_year']} to {pairs['last_year']}")
    made = table(("outcome, variant", "years", "estimate (95 %)", "p", "corrected"), rows)
    return f"{made}\n\n{', '.join(years)}."
