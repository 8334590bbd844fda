"""What a run brought since the publication before it, in sentences: the last lines of a refresh.

Every sentence is read from tables of `meta` in the publication, so the page Data and the rehearsal
can show the same.
"""

from __future__ import annotations

import duckdb

from warehouse.publication.archive import day_of

#: How many rows of a kind a sentence names; the table that it names has the others.
MOST_NAMED = 5
PLACE = "coalesce(city_name_en, place_level || ' ' || city_id)"
PLACES = f"""
select change, {PLACE} from meta.place_change left join marts.dim_city using (city_id)
order by change, place_level, city_id
"""
SOURCES = """
select source_id, any_value(source_change), sum(n_new)::bigint, sum(n_revised)::bigint,
    sum(n_vanished)::bigint, max(median_relative_revision)
from meta.publication_change group by source_id having sum(n_new + n_revised + n_vanished) > 0
order by sum(n_new + n_revised + n_vanished) desc, source_id
"""
CURRENT = """
select reason, sum(n_values)::bigint from meta.current_change group by reason order by 2 desc, 1
"""
REVISED = """
select count(*), median(abs(relative_change)), max(abs(relative_change))
from meta.value_change where reason = 'revised'
"""
NAMED = f"""
select indicator_id, {PLACE}, "year", old_value, new_value, relative_change, quality_rule, reason
from meta.value_change left join marts.dim_city using (city_id)
where {{}}
order by abs(relative_change) desc nulls first, indicator_id, place_level, city_id, "year"
"""
LOST = "new_value is null"
IS_REVISED = "reason = 'revised'"
FLAGS = """
select change, quality_flag, quality_rule, sum(n_values)::bigint
from meta.flag_change group by all order by 4 desc, 1, 2, 3
"""
LIFTED_BY_NEW_SOURCES = """
select source_id, indicator_id, quality_rule, n_values, n_became_current, first_value,
    new_source_ids from meta.flag_change
where change = 'lifted' and new_source_ids is not null order by n_became_current desc,
    n_values desc, source_id, indicator_id, quality_rule
"""
CHECKS = "select check_id, known_since, n_new_rows, first_new_row from meta.check_change order by 1"
VERDICTS = """
select spec_id, first_year, old_last_year, new_last_year, old_verdict, new_verdict, old_estimate,
    new_estimate, new_p_value, change_in_deviations
from meta.estimate_change
left join (select spec_id, change_in_deviations from meta.movement) using (spec_id)
where starts_with(spec_id, 'primary.cm_growth_official.')
    and (spec_id like '%.newest' or spec_id like '%.study_window')
order by spec_id
"""
VERDICT_WORDS = {
    "found": "a change was found",
    "not_found_could_have_been": "no change was found, and a small one would have been",
    "not_found_could_not_have_been": "no change was found, but a small one could be missed",
    "not_identified": "the data cannot tell",
}
PROMISES = """
select status, count(*), min(written_by), string_agg(spec_id || ', rule ' || rule_name || ': '
    || what_changed, '; ' order by spec_id, rule_name)
from meta.promise group by status order by status
"""


def what_changed(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return what a publication says of the one before it, line by line.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        On the database of the publication.
    """
    run, not_compared = con.execute("select previous_run_id, not_compared from meta.run").fetchone()
    if not_compared is not None:
        return [f"What changed is not known: {not_compared}."]
    if run is None:
        return ["This is the first publication of its kind here: there is none to compare it with."]
    lines = [f"What changed since the publication of {day_of(run)} (run {run}):"]
    for part in (_places, _values, _current, _flags, _checks, _verdicts, _promises):
        lines += [f"  {line}" for line in part(con)]
    return lines


def _places(con: duckdb.DuckDBPyConnection) -> list[str]:
    found: dict[str, list[str]] = {"new": [], "lost": []}
    for change, name in con.execute(PLACES).fetchall():
        found[change].append(name)
    if not found["new"] and not found["lost"]:
        return ["Places: no place is new, and none was lost."]
    return [
        f"Places: {len(found['new'])} are new{_listed(found['new'])}, "
        f"{len(found['lost'])} were lost{_listed(found['lost'])}."
    ]


def _listed(names: list[str]) -> str:
    """The first names in brackets, with a sign that there are more."""
    if not names:
        return ""
    more = ", ..." if len(names) > MOST_NAMED else ""
    return f" ({', '.join(names[:MOST_NAMED])}{more})"


def _values(con: duckdb.DuckDBPyConnection) -> list[str]:
    rows = con.execute(SOURCES).fetchall()
    if not rows:
        return ["Delivered values: every one is as it was."]
    new = sum(row[2] for row in rows)
    revised = sum(row[3] for row in rows)
    gone = sum(row[4] for row in rows)
    lines = [
        f"Delivered values: {new:,} are new, {revised:,} were revised and {gone:,} are no longer "
        "delivered (meta.publication_change)."
    ]
    for source, change, n_new, n_revised, n_gone, typical in rows[:MOST_NAMED]:
        if change == "removed":
            lines.append(f"  {source} is no longer in the landing, with its {n_gone:,} values.")
            continue
        by = ""
        if typical is not None:
            by = f" (half of them by at most {typical:.2%})"
        is_first = " for the first time" if change == "added" else ""
        lines.append(
            f"  {source}{is_first}: {n_new:,} new, {n_revised:,} revised{by}, {n_gone:,} gone."
        )
    if len(rows) > MOST_NAMED:
        lines.append(f"  {len(rows) - MOST_NAMED} more sources changed.")
    return lines


def _current(con: duckdb.DuckDBPyConnection) -> list[str]:
    reasons = con.execute(CURRENT).fetchall()
    if not reasons:
        return ["Values in use: none changed."]
    counts = ", ".join(f"{n:,} {reason}" for reason, n in reasons)
    lines = [f"Values in use that changed: {counts} (meta.current_change)."]
    n_revised, typical, largest = con.execute(REVISED).fetchone()
    if typical is not None:
        lines.append(
            f"{n_revised:,} values in use were revised, half of them by at most {typical:.2%}, "
            f"the most by {largest:.2%}: {named_values(con, IS_REVISED, 1)[0]}."
        )
    lost = named_values(con, LOST)
    if lost:
        lines.append(
            f"{len(lost):,} values in use were lost, with nothing in their place "
            f"(meta.value_change): {'; '.join(lost[:MOST_NAMED])}."
        )
    return lines


def named_values(
    con: duckdb.DuckDBPyConnection, condition: str, most: int | None = None
) -> list[str]:
    """Return the rows of `meta.value_change` under a condition by name, the largest change first:
    `gdp_nominal_cny_100m of Beijing in 2016, 102.5 before, none now (blocked by spike)`.
    """
    named = []
    for row in con.execute(NAMED.format(condition)).fetchall():
        indicator, place, year, old, new, relative, rule, reason = row
        is_now = "none now"
        if new is not None:
            is_now = f"{new:,.10g} now"
        why = reason
        if rule is not None:
            why = f"blocked by {rule}"
        elif relative is not None:
            why = f"{relative:+.2%}"
        named.append(f"{indicator} of {place} in {year}, {old:,.10g} before, {is_now} ({why})")
    return named[:most]


def _flags(con: duckdb.DuckDBPyConnection) -> list[str]:
    by_change: dict[str, list[str]] = {"came": [], "set": [], "lifted": []}
    for change, flag, rule, n in con.execute(FLAGS).fetchall():
        words = f"{n:,} {flag} by {rule}"
        if change != "came":
            words = f"{n:,} by {rule}"
        by_change[change].append(words)
    lines = []
    for change, sentence in (
        ("came", "New and revised values that are flagged"),
        ("set", "Values that did not change and are blocked now"),
        ("lifted", "Values that did not change and are no longer blocked"),
    ):
        if by_change[change]:
            lines.append(f"{sentence}: {', '.join(by_change[change])} (meta.flag_change).")
    if not lines:
        lines = ["Flags: no new or revised value is flagged, and no block was set or lifted."]
    # what a new source lifts may be a copy that confirms a wrong value
    for row in con.execute(LIFTED_BY_NEW_SOURCES).fetchall()[:MOST_NAMED]:
        source, indicator, rule, n, current, example, new_sources = row
        lines.append(
            f"  warning: {n:,} values of {source}, {indicator}, that {rule} blocked are no longer "
            f"blocked, {current:,} of them are in use now, first {example}; {new_sources} is new "
            "and has them too. Look at them in meta.flag_change before you believe them."
        )
    return lines


def _checks(con: duckdb.DuckDBPyConnection) -> list[str]:
    known: list[tuple[str, str]] = []
    new: list[str] = []
    for check, since, n_rows, row in con.execute(CHECKS).fetchall():
        if since is None:
            new.append(f"  new: {check}{_first(row)}.")
        elif n_rows:
            new.append(
                f"  known since {since}, with {n_rows:,} new findings: {check}{_first(row)}."
            )
        else:
            known.append((since, check))
    if not known and not new:
        return ["Warnings: no check failed."]
    lines = [f"Warnings: {len(known)} were there before, {len(new)} are new or found more."]
    if known:
        names = ", ".join(check for _, check in known)
        lines.append(f"  known, the oldest since {min(known)[0]}: {names}.")
    return lines + new


def _first(row: str | None) -> str:
    """The first finding behind a check's name."""
    return f", first {row}" if row else ""


def _verdicts(con: duckdb.DuckDBPyConnection) -> list[str]:
    lines = []
    for row in con.execute(VERDICTS).fetchall():
        spec, first, old_last, last, old_verdict, verdict, old, new, p, moved = row
        was = _words_of(old_verdict)
        now = _words_of(verdict)
        window = f"{first}-{last}"
        if last is None:
            window = f"{first}-{old_last}"
        stays = "as before"
        if was != now:
            stays = f"before it was: {was}"
        text = f"Verdict on growth in {window}: {now}, {stays}"
        if old is not None and new is not None:
            before = ""
            if old_last != last:
                before = f" (to {old_last})"
            text += f"; the estimate was {old:+.4f}{before} and is {new:+.4f}, p {p:.4f}"
        if moved is not None:
            text += (
                f"; it moved {abs(moved):.1f} times as far as it typically does when admissions "
                "are reassigned at random within provinces"
            )
        lines.append(f"{text} ({spec}).")
    return lines


def _words_of(verdict: str | None) -> str:
    """A verdict in words."""
    if verdict is None:
        return "not run"
    return VERDICT_WORDS.get(verdict, verdict)


def _promises(con: duckdb.DuckDBPyConnection) -> list[str]:
    lines = []
    for status, n, written_by, what in con.execute(PROMISES).fetchall():
        if status == "as_written":
            lines.append(
                f"Rules that were written down before (run {written_by}): {n} were applied as "
                "written."
            )
        else:
            lines.append(
                f"Rules that were written down before (run {written_by}): {n} were NOT applied as "
                f"written (meta.promise): {what}."
            )
    return lines
