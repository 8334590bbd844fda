"""Would a publication lose much of what the one before holds? Counted by what is gone, not by
totals: a city for another city is a loss.

It is asked twice, before the estimates and before the switch, and not by a gate: a gate's results
are published, and published tables depend on the input alone, while this depends on what was
published before.

A landing that loses a little each time would pass each time. So a build is also compared with all
that the runs of its kind have held since a loss was last confirmed, as the archive remembers it:
`CONFIRMED` in a run's manifest says that what was gone then was meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from warehouse.build_database import open_build
from warehouse.publication.archive import RUN, SPAN, archived_runs
from warehouse.publication.errors import PublicationShrinks, PublishError
from warehouse.publication.manifest import MANIFEST, read_manifest
from warehouse.publication.tables import require_tables_only
from warehouse.sql_text import literal

# Share of what stands that a publication may lose without being confirmed. A list of twenty years
# may lose one.
LARGEST_LOSS = 0.05
EXAMPLES = 3
WINDOW = {"WINDOW_FIRST_YEAR": "2010", "WINDOW_LAST_YEAR": "2019"}
# Settings by which two publications of one landing hold other values, with what leaving them out
# means.
EXTENT = {"AS_OF_EDITION": "", "CITYSYNC_SIMULATED_CITIES": "0"}

OF_CURRENT = (
    "select distinct {columns} as k from {catalog}.marts.fct_indicator_observation where "
    "is_current and {where}"
)
PANEL_CITY = """
select city_i_id::varchar as k from {catalog}.marts.panel_pair_year union select city_j_id::varchar
    from {catalog}.marts.panel_pair_year
"""
# Key of a manifest: whether a person said that what this run lost was meant.
CONFIRMED = "confirmed_loss"
# What is counted, as queries of keys; those of the sample only between publications of the same
# window.
COUNTED = {
    "values": OF_CURRENT.replace(
        "{columns}", "concat_ws(' ', indicator_id, place_level, city_id, \"year\")"
    ).replace("{where}", "true"),
    "indicators": OF_CURRENT.replace("{columns}", "indicator_id").replace("{where}", "true"),
    "cities": OF_CURRENT.replace("{columns}", "city_id::varchar").replace(
        "{where}", "place_level = 'city'"
    ),
    "years": OF_CURRENT.replace("{columns}", '"year"::varchar').replace("{where}", "true"),
    # a landing may bring its own places, and forget their zones: every value is there, and nobody
    # is treated any more
    "pilot cities": "select distinct city_id::varchar as k from {catalog}.marts.dim_pilot_zone",
}
PANEL_PILOT = """
select city_i_id::varchar as k from {catalog}.marts.panel_pair_year
    where city_i_cohort_year is not null
union
select city_j_id::varchar from {catalog}.marts.panel_pair_year where city_j_cohort_year is not null
"""
OF_SAMPLE = {
    "cities of the headline sample": PANEL_CITY,
    "pilot cities of the headline sample": PANEL_PILOT,
}
# The same of the runs in the archive, whose spans are the table `remembered`.
OF_ARCHIVE = {
    "values": (
        "select concat_ws(' ', indicator_id, place_level, city_id, \"year\") as k from remembered"
    ),
    "indicators": "select distinct indicator_id as k from remembered",
    "cities": "select distinct city_id::varchar as k from remembered where place_level = 'city'",
    "years": 'select distinct "year"::varchar as k from remembered',
}
REMEMBERED = """
create or replace temp table remembered as
with spans as (select distinct indicator_id, place_level, city_id, first_year, last_year
    from read_parquet(?, hive_partitioning = false))
select distinct indicator_id, place_level, city_id, unnest(range(first_year, last_year + 1)) as
    "year" from spans
"""
COMPARED = """
with old as ({old}), new as ({new}), gone as (select k from old
    where k is not null except select k from new)
select (select count(k) from old), (select count(*) from gone), (select list(k
    order by k)[:{examples}] from gone)
"""


@dataclass(frozen=True)
class Loss:
    """How many of what stands would be gone, and the first of them."""

    what: str
    before: int
    gone: int
    examples: list[str]

    @property
    def share(self) -> float:
        """Share of what stands that would be gone."""
        return self.gone / self.before if self.before else 0.0

    def __str__(self) -> str:
        """Such as `66 of 102 values (65 %), first gdp_real_cny_100m city 110000 2005`."""
        return (
            f"{self.gone:,} of {self.before:,} {self.what} ({self.share:.0%}), first "
            f"{', '.join(self.examples)}"
        )


def refuse_to_shrink(
    published: Path, build: Path, manifest: Mapping[str, Any], *, confirmed: bool
) -> None:
    """Compare the build with the publication that it would follow.

    Parameters
    ----------
    published : link to the current publication.
    build : folder of the build.
    manifest : `is_simulated` and `settings` of the run.
    confirmed : whether the loss is meant.

    Raises
    ------
    PublicationShrinks
        Where more than LARGEST_LOSS of the values, indicators, cities or years would be gone, of
        the publication before or of what was held since a loss was last confirmed, with what is
        gone and how to confirm. The first publication of its kind has nothing to lose.
    """
    if confirmed:
        return
    for before in _earlier(published):
        if _part(before.manifest, EXTENT) == _part(manifest, EXTENT):
            same_window = _part(before.manifest, WINDOW) == _part(manifest, WINDOW)
            losses = count_losses(
                before.folder / "citysync.duckdb",
                build,
                COUNTED | (OF_SAMPLE if same_window else {}),
            )
            _refuse(losses, f"publication {before.manifest.get('run_id')}")
            break
    runs = _runs_since_confirmed(published, manifest)
    if runs:
        _refuse(
            count_losses_of_archive(runs, build),
            f"what {len(runs)} runs since {runs[0].parent.name.removeprefix(RUN)} held",
        )


def _runs_since_confirmed(published: Path, manifest: Mapping[str, Any]) -> list[Path]:
    """Spans of the archived runs of this kind, oldest first: those since a loss was confirmed, and
    none that a rollback took back.
    """
    archive, found = published.parent / "archive", []
    current = published.resolve().name if (published / MANIFEST).exists() else ""
    for run_id in archived_runs(archive):
        folder = archive / f"{RUN}{run_id}"
        try:
            before = read_manifest(folder)
        except (OSError, PublishError):
            continue
        spans = folder / f"{SPAN}.parquet"
        if (
            _part(before, EXTENT) != _part(manifest, EXTENT)
            or not spans.is_file()
            or (current and run_id > current)
        ):
            continue
        found = [spans] if before.get(CONFIRMED) is True else [*found, spans]
    return found


@dataclass(frozen=True)
class Earlier:
    """A publication that is kept."""

    folder: Path
    manifest: Mapping[str, Any]


def _earlier(published: Path) -> Iterator[Earlier]:
    """The current publication, then the others from the newest on; those that cannot be read are
    left out.
    """
    store = published.parent / "publications"
    others = (
        sorted((path for path in store.iterdir() if not path.name.startswith(".")), reverse=True)
        if store.is_dir()
        else []
    )
    for folder in dict.fromkeys(
        [*([published.resolve()] if (published / MANIFEST).exists() else []), *others]
    ):
        try:
            manifest = read_manifest(folder)
        except (OSError, PublishError):
            continue
        if (folder / "citysync.duckdb").is_file():
            yield Earlier(folder, manifest)


def _part(manifest: Mapping[str, Any], settings: Mapping[str, str]) -> list[Any]:
    settings_of = manifest.get("settings")
    given = settings_of if isinstance(settings_of, dict) else {}
    return [
        manifest.get("is_simulated"),
        *(given.get(name) or default for name, default in settings.items()),
    ]


def series_of(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """What a publication is one of a series of: simulated or delivered, window, editions.

    The newest of every series is kept.
    """
    return tuple(str(part) for part in [*_part(manifest, EXTENT), *_part(manifest, WINDOW)])


def count_losses(database: Path, build: Path, counted: Mapping[str, str]) -> list[Loss]:
    """What of an earlier publication's database the build does not hold; empty where the earlier
    one cannot be read any more.
    """
    with open_build(build) as con:
        here = con.execute("select current_database()").fetchone()[0]
        try:
            con.execute(f"attach {literal(database)} as previous (read_only)")
            require_tables_only(con, "previous", database)
        except (duckdb.Error, PublishError):
            return []
        return [
            _count(con, what, query.format(catalog="previous"), query.format(catalog=here))
            for what, query in counted.items()
            if _has_tables(con, query, here)
        ]


def count_losses_of_archive(spans: list[Path], build: Path) -> list[Loss]:
    """What any of some archived runs held that the build does not; empty where the archive cannot
    be read any more (`verify` says so).
    """
    with open_build(build) as con:
        here = con.execute("select current_database()").fetchone()[0]
        try:
            con.execute(REMEMBERED, [[str(path) for path in spans]])
            return [
                _count(con, what, OF_ARCHIVE[what], COUNTED[what].format(catalog=here))
                for what in OF_ARCHIVE
            ]
        except duckdb.Error:
            return []


def _has_tables(con: duckdb.DuckDBPyConnection, query: str, here: str) -> bool:
    """Whether both databases hold the table; pair-years beyond a limit are files instead, and older
    publications lack columns.
    """
    try:
        for catalog in (here, "previous"):
            con.execute(f"explain {query.format(catalog=catalog)}")
    except (duckdb.CatalogException, duckdb.BinderException):
        return False
    return True


def _count(con: duckdb.DuckDBPyConnection, what: str, old: str, new: str) -> Loss:
    statement = COMPARED.format(old=old, new=new, examples=EXAMPLES)
    before, gone, examples = con.execute(statement).fetchone()
    return Loss(what, before, gone, list(examples or []))


def _refuse(losses: list[Loss], before: str) -> None:
    losses = [loss for loss in losses if loss.share > LARGEST_LOSS]
    if losses:
        raise PublicationShrinks(
            f"this run would lose {'; '.join(str(loss) for loss in losses)}, compared with "
            f"{before}; "
            f"expected at most {LARGEST_LOSS:.0%}; look whether files are missing or unread (the "
            "lines above, quality.rejected_value); "
            "if it is meant, confirm it: make refresh LANDING=path CONFIRM_SHRINK=1"
        )
