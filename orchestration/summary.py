"""The lines a refresh closes with: what was read, rejected, flagged and revised, the headline, and
where the results lie.
"""

from __future__ import annotations

from collections import Counter

import duckdb

from orchestration.home import Home
from orchestration.terminal import say
from warehouse.publication.changes import change_lines
from warehouse.publication.foreign import DATABASE, open_foreign

READ = (
    "select count(*), count(*) filter (status = 'taken'), sum(n_observations) from meta.input_file"
)
SKIPPED = (
    "select distinct source_id || ': ' || note from meta.input_file where status = 'skipped' "
    "order by all limit 12"
)
REJECTED = "select reason, count(*) from quality.rejected_value group by all order by all"
FLAGGED = """
select quality_flag, quality_rule, count(*) from marts.fct_indicator_observation
    where quality_flag != 'ok' group by all order by all
"""
COUNTS = """
select (select count(*) from marts.fct_indicator_revision), (select count(*)
    from marts.fct_indicator_conflict)
"""
CORRECTIONS = """
select correction_state, source_id || '/' || file_name, city_id, "year", indicator_id,
    delivered_value, value_found
from quality.correction order by all
"""
HEADLINE = """
select spec_id, vcov, is_default, estimate, std_error, ci_low, ci_high, p_value, n_obs, n_pairs,
    n_cities, n_pilots
from estimates.estimate where spec_id like 'baseline.%.headline' and outcome like 'cm%'
    and term = 'treated'
order by spec_id desc, vcov
"""
PRIMARY = """
select spec_id, verdict, estimate, ci_low, ci_high, p_value, minimum_detectable_effect, n_cities,
    n_pilots, reason
from estimates.primary where spec_id like '%.newest' or spec_id like '%.study_window'
    order by outcome desc, last_year
"""
TRUTH = "select spec_id, truth from estimates.truth where term = 'treated'"
NOT_RUN = "select reason, count(*), min(spec_id) from estimates.not_run group by reason order by 3"


def print_summary(home: Home) -> None:
    """Read the current publication and print its summary."""
    with open_foreign(home.published / DATABASE) as con:
        _print_data(con)
        _print_primary(con)
        _print_headline(con)
    say("")
    say(f"report     {home.published / 'report' / 'index.html'}")
    say(f"data docs  {home.published / 'data_docs' / 'index.html'}")
    say(
        f'database   {home.published / "citysync.duckdb"}   (citysync sql -q "from marts.dim_city '
        'limit 5")'
    )


def _print_data(con: duckdb.DuckDBPyConnection) -> None:
    files, taken, values = con.execute(READ).fetchone()
    say("")
    say(f"read       {taken} of {files} files, {values or 0:,} values")
    for (line,) in con.execute(SKIPPED).fetchall():
        say(f"  skipped  {line}")
    say(
        "rejected   "
        + (
            ", ".join(f"{reason} {n:,}" for reason, n in con.execute(REJECTED).fetchall())
            or "nothing"
        )
    )
    say(
        "flagged    "
        + (
            ", ".join(
                f"{flag} by {rule} {n:,}" for flag, rule, n in con.execute(FLAGGED).fetchall()
            )
            or "nothing"
        )
    )
    revisions, conflicts = con.execute(COUNTS).fetchone()
    say(
        f"revised    {revisions:,} values between editions; {conflicts:,} conflicts between sources"
    )
    _print_corrections(con)
    for line in change_lines(con):
        say(line)


def _print_corrections(con: duckdb.DuckDBPyConnection) -> None:
    """How many apply, and each one of a delivered file that no longer does."""
    rows = con.execute(CORRECTIONS).fetchall()
    counts = Counter(row[0].replace("_", " ") for row in rows)
    say("corrected  " + (", ".join(f"{state} {n:,}" for state, n in counts.items()) or "nothing"))
    for state, path, city_id, year, indicator_id, value, found in rows:
        if state in ("other_number", "no_value"):
            say(
                f"  no longer applies: {path}: {indicator_id} {city_id} {year}: expected "
                f"{value!r}, found {found!r}; citysync correct --withdraw takes it back"
            )


def _print_primary(con: duckdb.DuckDBPyConnection) -> None:
    """The verdicts: one line per window and series."""
    for (
        spec_id,
        verdict,
        estimate,
        low,
        high,
        p,
        smallest,
        n_cities,
        n_pilots,
        reason,
    ) in con.execute(PRIMARY).fetchall():
        say("")
        say(f"{spec_id}: {verdict.replace('_', ' ')}   {n_cities} cities, {n_pilots} pilots")
        if p is None:
            say(f"  {reason}")
            continue
        found = "none" if smallest is None else f"{smallest:.4f}"
        ends = ("none" if end is None else f"{end:+.4f}" for end in (low, high))
        say(
            f"  change of correlation {estimate:+.4f}  95 % [{', '.join(ends)}]  p {p:.4f}  "
            f"found in 80 % of cases from {found} on"
        )


def _print_headline(con: duckdb.DuckDBPyConnection) -> None:
    simulated = con.execute("select is_simulated from meta.run").fetchone()[0]
    truth = dict(con.execute(TRUTH).fetchall())
    last = None
    for (
        spec_id,
        vcov,
        is_default,
        estimate,
        error,
        low,
        high,
        p,
        n_obs,
        n_pairs,
        n_cities,
        n_pilots,
    ) in con.execute(HEADLINE).fetchall():
        if spec_id != last:
            label = (
                " (SIMULATED data" + (f"; truth {truth[spec_id]:.4f})" if spec_id in truth else ")")
                if simulated
                else ""
            )
            say("")
            say(
                f"{spec_id}{label}: {estimate:.4f}   {n_cities} cities, {n_pilots} pilots, "
                f"{n_pairs:,} pairs, {n_obs:,} rows"
            )
            last = spec_id
        mark = "default" if is_default else ("contrast only" if vcov == "conventional" else "")
        say(
            f"  {vcov:<19} se {_number(error)}  95 % [{_number(low)}, {_number(high)}]  p "
            f"{_number(p)}  {mark}"
        )
    for reason, n_specs, first in con.execute(NOT_RUN).fetchall():
        say(f"not run    {n_specs} specs ({first}{' and others' if n_specs > 1 else ''}): {reason}")


def _number(value: float | None) -> str:
    return "   -   " if value is None else f"{value:7.4f}"
