"""Format figures of the pages by SQL functions; `Part` is a part of a page."""

from __future__ import annotations

from dataclasses import dataclass

#: What the queries of this folder call.
FUNCTIONS = """
-- a change: with its sign
create or replace temp macro signed(x) as coalesce(format('{:+.3f}', x), '');
create or replace temp macro size(x) as coalesce(format('{:.3f}', x), 'none');
create or replace temp macro p_of(p) as case
    when p is null then '' when p < 0.1 then format('{:.3f}', p) else format('{:.2f}', p) end;
-- an end that is missing is a dash
create or replace temp macro interval_of(low, high) as case
    when low is null and high is null then 'no interval'
    else coalesce(format('{:+.3f}', low), '-') || ' to ' || coalesce(format('{:+.3f}', high), '-')
end;
create or replace temp macro interval_in_chinese(low, high) as
    signed(low) || ' 至 ' || signed(high);
create or replace temp macro change_of(estimate, low, high, p) as
    signed(estimate) || ' (' || interval_of(low, high) || '), ' || p_of(p);
create or replace temp macro words(name) as replace(name, '_', ' ');
create or replace temp macro run_of() as (
    select 'run ' || run_id || ' of ' || left(started_at, 10) from meta.run
);
"""


@dataclass(frozen=True)
class Part:
    """A part of a page.

    Attributes
    ----------
    text : str
        With names of columns in braces.
    query : str
        Returns one row with these columns; none where the publication lacks what the text needs.
    """

    text: str
    query: str
