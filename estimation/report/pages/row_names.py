"""Names of rows of results in words: a placebo, a check, a policy, any row below 5 %."""

from __future__ import annotations

from ..cells import Row
from ..shown_specs import OVERALL, PRIMARY
from .context import Context

ZONES, NET = "pilot_zones", "net_of_others"


def name_of(page: Context, policy: str) -> str:
    """Return a policy of the seeds in words; a list by the name that it was given."""
    if policy == ZONES:
        return page.words.plain("policies.zones")
    if page.words.knows("terms", f"policy_{policy}"):
        return page.words.name("terms", f"policy_{policy}")
    return policy


def placebo_name(page: Context, row: Row) -> str:
    """Return the cities that a placebo dates as if admitted, or the years that it moves to."""
    name, outcome = row["name"], row["spec_id"].split(".")[1]
    known = page.words.knows("variants", name)
    said = page.words.name("variants", name) if known else page.said(name)
    if row["spec_id"] == PRIMARY:
        return said
    return page.words.plain("label.with_note", text=said, note=page.words.outcome(outcome))


def check_name(page: Context, name: str) -> str:
    """Return the name of a check, or which province or batch it leaves out.

    A name under `checks` comes before that of the series or variant, as for night light, where the
    check also leaves out cities.
    """
    if name.isdigit():
        batch = page.words.plain("policy.batch", n=name)
        return page.places.get(int(name), batch)
    groups = ("checks", "series", "variants")
    known = next((group for group in groups if page.words.knows(group, name)), groups[0])
    return page.words.name(known, name)


def _part_name(page: Context, row: Row, outcome: str) -> str:
    """Return a part of the estimate's weight, or a policy with the outcome that was tested."""
    w, name = page.words, str(row["name"])
    if row["source_table"] == "weight":
        return w.name("weight_parts", name)
    measured = w.outcome(outcome)
    if w.knows("own_outcomes", outcome):
        measured = w.name("own_outcomes", outcome)
    if row["comparison"] == NET:
        measured = w.plain("terms.net_of_others", of=measured)
    return w.plain("label.with_note", text=name_of(page, name), note=measured)


def stood_out_name(page: Context, row: Row) -> str:
    """Return what a row below 5 % is: its table, its specification and its place in it, in
    words.
    """
    w = page.words
    named = Row({**row, "outcome": str(row["spec_id"]).split(".")[1]})
    if row["source_table"] == "placebo":
        name = placebo_name(page, row)
        return w.plain("terms.of_class", kind=w.plain("robust.placebo"), of=name)
    if row["source_table"] == "check":
        check = check_name(page, str(row["name"]))
        series = w.name("checks", row["series"])
        of = w.plain("label.with_note", text=check, note=series)
        return w.plain("terms.of_class", kind=w.plain("robust.checks"), of=of)
    if row["source_table"] == "own_outcome":
        against = w.plain(f"result.own_{row['comparison']}")
        outcome = w.name("own_outcomes", str(row["name"]))
        return w.plain("label.with_note", text=outcome, note=against)
    if row["source_table"] in ("weight", "policy"):
        return _part_name(page, row, named["outcome"])
    said = page.label(named)
    if row["source_table"] == "channel":
        return w.plain("terms.of_class", kind=said, of=w.plain(f"whom.{row['name']}"))
    if row["source_table"] == "estimate" and row["name"] not in OVERALL:
        said = w.plain("terms.of_class", kind=said, of=w.term(row["name"]))
    if row["event_time"] is not None:
        said = w.plain("label.with_note", text=said, note=f"{row['event_time']:+.0f}")
    return said
