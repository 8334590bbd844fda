"""Check whether a publication would lose much of what the last one has.

Keys that are gone are counted (`COUNTED`), not differences of totals: a city that replaces another
is a loss. The check runs before the estimates, or before the switch if that is a run of its own. It
is no gate: a gate's results are published, and published tables depend on the input alone, while
this depends on the last publication.

To catch slow losses, a build is also compared with everything that archived runs of its kind had
since a loss was last confirmed (`CONFIRMED` in the manifest of a run).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from warehouse.database import open_build
from warehouse.publication.archive import RUN, SPAN, archived_runs
from warehouse.publication.errors import PublicationLoses, PublishError
from warehouse.publication.manifest import order_key, read_manifest
from warehouse.publication.untrusted import DATABASE, attach_untrusted
from warehouse.sql_text import literal, quote

# Share of the published keys that a publication may lose without being confirmed. A list of twenty
# years may lose one; an edition of a source, or a source without editions, does not go by itself,
# and cities go one by one, where two become one.
LARGEST_LOSS = 0.05
LARGEST_LOSS_OF = {"editions": 0.0, "cities": 0.03, "pilot cities": 0.03}
EXAMPLES = 3
MOST_SERIES = 2
WINDOW = {"WINDOW_FIRST_YEAR": "2010", "WINDOW_LAST_YEAR": "2019"}
# Settings by which two publications of one landing hold other values, with what leaving them out
# means. Where an edition or a year is left out, a later publication that leaves less out must hold
# what the earlier one held.
AS_OF_SETTINGS = {"AS_OF_EDITION": "", "AS_OF_YEAR": ""}
SETTINGS_OF_KIND = {"CITYSYNC_SIMULATED_CITIES": "0"}
LATEST = "9999"

# Name of the database of a build.
BUILD = "citysync"
# Key of a manifest: whether a person said that what this run lost was meant.
CONFIRMED = "confirmed_loss"
# What is counted, as queries of keys. `values` are places and years with a current value, `files`
# the files that were taken; both are known of a build, a publication and the runs of the archive,
# where `run` tells runs apart. The rest is known of builds and publications alone. A key with a
# number (`no.`) says how many there are, and is no example.
COUNTED = {
    "values": """
        select concat_ws(' ', indicator_id, place_level, city_id, "year") as k from {values}""",
    "indicators": "select indicator_id as k from {values}",
    "cities": "select city_id::varchar as k from {values} where place_level = 'city'",
    "years": 'select "year"::varchar as k from {values}',
    # a landing may bring its own places, and forget their zones: every value is there, and nobody
    # is treated any more
    "pilot cities": "select city_id::varchar as k from {catalog}.marts.dim_pilot_zone",
    # also of what is not current, where nothing else tells that it is gone
    "editions": "select {edition} as k from {files}",
    "values as delivered": """
        select {edition} || ' no. ' || unnest(range(sum(n_observations)::bigint)) as k from {files}
        where source_id <> 'policy_texts' group by source_id, edition_year, run""",
    # files have another name each year
    "files": """
        select source_id || ' no. ' || row_number() over (partition by source_id, run) as k
        from {files}""",
    "policy texts": "select path as k from {files} where source_id = 'policy_texts'",
    "clauses": """
        select path || ' no. ' || unnest(range(n_observations)) as k from {files}
        where source_id = 'policy_texts'""",
}
# Those of the sample only between publications of the same window.
OF_SAMPLE = {
    "cities of the baseline sample": """
        select unnest([city_i_id, city_j_id])::varchar as k from {catalog}.marts.panel_pair_year""",
    "pilot cities of the baseline sample": """
        select unnest([if(city_i_cohort_year is not null, city_i_id, null),
            if(city_j_cohort_year is not null, city_j_id, null)])::varchar as k
        from {catalog}.marts.panel_pair_year""",
}
EDITION = "concat_ws(' ', source_id, edition_year::int)"
CURRENT = "(select * from {catalog}.marts.fct_indicator_observation where is_current)"
TAKEN = "(select *, {run} as run from {files} where status = 'taken')"
REMEMBERED = """
(select distinct indicator_id, place_level, city_id, unnest(range(first_year, last_year + 1)) as
    "year" from {spans})
"""
COMPARED = """
with old as (select distinct k from ({old}) where k is not null),
    gone as (from old except select k from ({new}))
select (select count(k) from old), (select count(*) from gone), (select list(k
    order by k)[:{examples}] from gone where not contains(k, ' no. '))
"""


# What the specs read of cities: each series and year on its own. A city's value of a year counts as
# no longer delivered where a current value of that city and year is in no file any more. Otherwise
# it is delivered but no longer current (or computed from others that are lost).
SERIES = """
select city_id, "year", series from (
    unpivot (select city_id, "year", {columns} from {catalog}.marts.fct_city_year)
    on {columns} into name series value found
)
"""
COLUMNS = """
select column_name from duckdb_columns() where data_type = 'DOUBLE' and schema_name = 'marts'
    and table_name = 'fct_city_year' and database_name in ($1, $2)
group by column_name having count(*) = 2 order by column_name
"""
OF_SERIES = """
with held as ({old}),
    gone as (from held except from ({new})),
    absent as (
        select indicator_id, city_id, "year" from {values} where place_level = 'city'
        except select indicator_id, city_id, "year" from {here}.marts.fct_indicator_observation
    ),
    undelivered as (select distinct city_id, "year" from absent)
select series || ' of ' || "year" as what, count(*) as n_before, count(gone.series) as n_gone,
    count(*) filter (gone.series is not null and undelivered.city_id is null) as n_not_current
from held
left join gone using (city_id, "year", series)
left join undelivered using (city_id, "year")
group by series, "year"
order by n_gone / n_before desc, n_gone desc, series, "year"
"""


@dataclass(frozen=True)
class Loss:
    """How many of the published keys would be gone, and the first of them.

    Attributes
    ----------
    n_not_current : int or None
        How many of them are still delivered, but no longer current; None where nobody counted.
    """

    what: str
    before: int
    gone: int
    examples: list[str]
    n_not_current: int | None = None

    @property
    def share(self) -> float:
        """Share of the published keys that would be gone."""
        return self.gone / self.before if self.before else 0.0

    def __str__(self) -> str:
        """Such as `66 of 102 values (65 %), first gdp_real_cny_100m city 110000 2005`."""
        text = f"{self.gone:,} of {self.before:,} {self.what} ({self.share:.0%})"
        if self.examples:
            text += f", first {', '.join(self.examples)}"
        if self.n_not_current is not None:
            n_undelivered = self.gone - self.n_not_current
            text += f", {n_undelivered:,} no longer delivered"
            text += f" and {self.n_not_current:,} no longer current"
        return text


def refuse_losses(
    published: Path, build: Path, manifest: Mapping[str, Any], *, confirmed: bool
) -> list[str]:
    """Compare the build with the publication that it would follow.

    Parameters
    ----------
    published : link to the current publication.
    build : folder of the build.
    manifest : `is_simulated` and `settings` of the run.
    confirmed : whether the loss is meant.

    Returns
    -------
    list of str
        Sentences on what could not be compared, because the earlier publication is damaged or lacks
        it.

    Raises
    ------
    PublicationLoses
        Where a larger share of what is counted would be gone than may be, of the publication
        before or of what was held since a loss was last confirmed, with what is gone and how to
        confirm. The first publication of its kind has nothing to lose.
    """
    if confirmed:
        return []
    unread: list[str] = []
    before: Mapping[str, Any] = {}
    if os.path.lexists(published):
        try:
            before = read_manifest(published)
        except PublishError as error:
            unread.append(f"the publication before is not compared: {error}")
    if before and _may_lose(before, manifest):
        counted = COUNTED
        if _part(before, WINDOW) == _part(manifest, WINDOW):
            counted = COUNTED | OF_SAMPLE
        losses, lacking = count_losses(published / DATABASE, build, counted)
        unread += lacking
        _refuse(losses, f"publication {before.get('run_id')}")
    runs = _runs_since_confirmed(published.parent / "archive", manifest, before)
    if runs:
        losses, lacking = count_losses_of_archive(runs, build)
        unread += lacking
        _refuse(
            losses,
            f"what {len(runs)} runs since {runs[0].name.removeprefix(RUN)} held",
        )
    return unread


def _runs_since_confirmed(
    archive: Path, manifest: Mapping[str, Any], current: Mapping[str, Any]
) -> list[Path]:
    """Folders of the archived runs of this kind, oldest first: those since a loss was confirmed,
    and none that a rollback took back. A run whose manifest is missing or damaged counts as one of
    another kind; `verify` names its file.
    """
    found: list[Path] = []
    current_run = archive / f"{RUN}{current.get('run_id', '')}"
    folders = [archive / f"{RUN}{run_id}" for run_id in archived_runs(archive)]
    for folder in sorted(folders, key=order_key):
        try:
            before = read_manifest(folder)
        except PublishError:
            continue
        if not _may_lose(before, manifest):
            continue
        if current_run in folders and order_key(folder) > order_key(current_run):
            continue
        if before.get(CONFIRMED) is True:
            found = []
        found.append(folder)
    return found


def _may_lose(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Return whether what an earlier run held and a later one does not is a loss: both are of one
    kind, and the later one leaves out no more editions and years.
    """
    if _part(before, SETTINGS_OF_KIND) != _part(now, SETTINGS_OF_KIND):
        return False
    latest = dict.fromkeys(AS_OF_SETTINGS, LATEST)
    limits = zip(_part(before, latest)[1:], _part(now, latest)[1:], strict=True)
    return all(str(one) <= str(other) for one, other in limits)


def _part(manifest: Mapping[str, Any], settings: Mapping[str, str]) -> list[Any]:
    settings_of = manifest.get("settings")
    given = settings_of if isinstance(settings_of, dict) else {}
    return [
        manifest.get("is_simulated"),
        *(given.get(name) or default for name, default in settings.items()),
    ]


def kind_of(publication: Path) -> tuple[str, ...]:
    """Return the kind of a publication: simulated or delivered, what was left out of its landing,
    and its window. The newest of every kind is kept.
    """
    try:
        manifest = read_manifest(publication)
    except PublishError:
        # one that cannot be read is of no kind, and need not be kept for it
        manifest = {}
    return tuple(map(str, _part(manifest, {**AS_OF_SETTINGS, **SETTINGS_OF_KIND, **WINDOW})))


def count_losses(
    database: Path, build: Path, counted: Mapping[str, str]
) -> tuple[list[Loss], list[str]]:
    """Return what of an earlier publication's database the build does not hold, and sentences on
    what could not be compared.
    """
    with open_build(build) as con:
        try:
            attach_untrusted(con, {"previous": database}, build)
        except (duckdb.Error, PublishError) as error:
            return [], [f"{database} is not compared: {' '.join(str(error).split())}"]
        before = _relations_of("previous", "previous.meta.input_file")
        losses, unread = _compare(con, counted, before, build)
        return losses + _series_losses(con), unread


def count_losses_of_archive(runs: list[Path], build: Path) -> tuple[list[Loss], list[str]]:
    """Return what any of some archived runs held that the build does not, and sentences on what
    the archive cannot say any more.
    """

    def tables(name: str) -> str:
        paths = [literal(run / name) for run in runs if (run / name).is_file()]
        options = "hive_partitioning = false, union_by_name = true, filename = true"
        return f"read_parquet([{', '.join(paths)}], {options})"

    remembered = {
        "edition": EDITION,
        "values": REMEMBERED.format(spans=tables(f"{SPAN}.parquet")),
        "files": TAKEN.format(files=tables("meta.input_file.parquet"), run="filename"),
    }
    # the archive keeps no whole tables of the marts
    counted = {what: query for what, query in COUNTED.items() if "{catalog}" not in query}
    with open_build(build) as con:
        return _compare(con, counted, remembered, build)


def _relations_of(catalog: str, files: str) -> dict[str, str]:
    """Return the relations that the queries of COUNTED read, of a build or a publication."""
    return {
        "catalog": catalog,
        "edition": EDITION,
        "values": CURRENT.format(catalog=catalog),
        "files": TAKEN.format(files=files, run="''"),
    }


def _compare(
    con: duckdb.DuckDBPyConnection,
    counted: Mapping[str, str],
    before: Mapping[str, str],
    build: Path,
) -> tuple[list[Loss], list[str]]:
    """Return losses of what both sides have, and sentences on what the earlier side lacks.

    A query that cannot be run on the build is a fault of this module and ends the run.
    """
    listed = literal(build / "input_file.parquet")
    con.execute(f"create temp view now_listed as from read_parquet({listed})")
    now = _relations_of(BUILD, "now_listed")
    losses, unread = [], []
    for what, query in counted.items():
        new = query.format_map(now)
        old = query.format_map(before)
        statement = COMPARED.format(old=old, new=new, examples=EXAMPLES)
        try:
            n_before, gone, examples = con.execute(statement).fetchone()
        except duckdb.Error as error:
            # raises again what is no fault of the earlier side
            con.execute(f"select count(*) from ({new})")
            unread.append(f"{what} are not compared: {str(error).splitlines()[0]}")
            continue
        losses.append(Loss(what, n_before, gone, list(examples or [])))
    return losses, unread


def _series_losses(con: duckdb.DuckDBPyConnection) -> list[Loss]:
    """Return what of each series and year of the earlier publication's cities the build does not
    hold.
    """
    names = [quote(name) for (name,) in con.execute(COLUMNS, [BUILD, "previous"]).fetchall()]
    if not names:
        return []
    columns = ", ".join(names)
    query = OF_SERIES.format(
        old=SERIES.format(columns=columns, catalog="previous"),
        new=SERIES.format(columns=columns, catalog=BUILD),
        values=CURRENT.format(catalog="previous"),
        here=BUILD,
    )
    rows = con.execute(query).fetchall()
    return [Loss(what, before, gone, [], not_current) for what, before, gone, not_current in rows]


def _refuse(losses: list[Loss], before: str) -> None:
    losses = [loss for loss in losses if loss.share > LARGEST_LOSS_OF.get(loss.what, LARGEST_LOSS)]
    if losses:
        series = [str(loss) for loss in losses if loss.n_not_current is not None]
        named = [str(loss) for loss in losses if loss.n_not_current is None] + series[:MOST_SERIES]
        if len(series) > MOST_SERIES:
            named.append(f"{len(series) - MOST_SERIES:,} more series and years")
        of_cities = LARGEST_LOSS_OF["cities"]
        raise PublicationLoses(
            f"this run would lose {'; '.join(named)}, compared with {before}; "
            f"expected at most {LARGEST_LOSS:.0%}, {of_cities:.0%} of the cities or "
            "zones, and no edition; look whether files are "
            "missing or unread (the lines above, quality.rejected_value); "
            "if it is meant, confirm it: make refresh LANDING=path CONFIRM_SHRINK=1"
        )
