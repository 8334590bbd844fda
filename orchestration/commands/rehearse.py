"""`citysync rehearse`: refresh edition by edition, as if each were new.

Each arrival is a refresh, in a home of the rehearsal's own, that leaves out later editions and
figures of later years. What it reports of the one before is collected in a table and a page.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from orchestration.change_sentences import change_sentences
from orchestration.home import REPO, Home
from orchestration.lock import hold_lock
from orchestration.rehearsal import COLUMNS, arrival_rows, refused_row
from orchestration.reuse.fingerprint import hash_landing, take_fingerprint
from orchestration.settings import check_settings, number, path_of_landing
from orchestration.simulated_landing import landing_path, write_simulated
from orchestration.templates import fill
from orchestration.terminal import Exit, end_command, progress, say
from warehouse.database import open_memory
from warehouse.errors import Refused
from warehouse.ingest.delivered_files import POLICY_SOURCE
from warehouse.ingest.landing import read_landing
from warehouse.ingest.layouts import layouts_of
from warehouse.publication.untrusted import DATABASE, open_untrusted
from warehouse.whole_files import (
    read_noted,
    remove_any,
    write_noted,
    write_text,
    write_whole,
)

#: Without a word of the person, so many editions arrive; the first has nothing to be compared with.
ARRIVALS = 5
OF_EDITIONS = re.compile(r"(\d{4})\.\.(\d{4})|(\d{1,2})")
#: Settings that each arrival has of its own.
AS_OF = ("AS_OF_EDITION", "AS_OF_YEAR")
STATE, PAGE = "rehearsed.json", "index.html"
STAGE = re.compile(r"\[\d+/\d+\] .*")
LAST_LINE = re.compile(r"citysync: exit (\d+): (.*)")
SHRINKS = "this run would lose"
# The window of the main test follows growth of the product: the newest year that a landing has of
# an indicator of it, as far as it has half of what it has in the indicator's fullest year.
NEWEST = """
with counted as (
    select indicator_id, "year", count(*) as n from read_parquet($1, union_by_name = true)
    where reason is null and starts_with(indicator_id, 'gdp_') group by all
)
select max("year") from (
    from counted qualify 2 * n >= max(n) over (partition by indicator_id)
)
"""
NEWEST_EDITION = """
select max(edition_year) from read_parquet($1) where status = 'taken' and source_id <> $2
"""
TYPES = {
    **dict.fromkeys(COLUMNS, "string"),
    **dict.fromkeys(("edition", "n_values"), "Int64"),
    **dict.fromkeys(("change", "deviation", "change_in_deviations"), "Float64"),
}


@dataclass
class State:
    """What a rehearsal has done, so that it goes on where it was interrupted.

    Attributes
    ----------
    made_of : dict
        Hashes of landing, code and settings.
    editions : list of int
        Editions that have arrived, in this order.
    rows : list of dict
        Rows of the table.
    """

    made_of: dict[str, str] = field(default_factory=dict)
    editions: list[int] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)


def rehearse(landing: str | None, editions: str | None, output: str | None) -> int:
    """Let a landing arrive edition by edition, and write what each arrival changed.

    Parameters
    ----------
    landing : str or None
        Folder of delivered files; None for the simulated landing.
    editions : str or None
        `2020..2024`, or how many of the newest.
    output : str or None
        Folder for the table and the page; None for `rehearsal` in the home.

    Returns
    -------
    int
        0 where every edition was published, else the exit code of the refresh that was not. The
        same command then goes on from there.
    """
    home = Home.from_environment()
    path = path_of_landing(landing)
    check_settings(os.environ)
    given = [name for name in AS_OF if os.environ.get(name)]
    if given:
        raise Refused(f"{given[0]} is set: a rehearsal sets it for each arrival; leave it out")
    if editions and not OF_EDITIONS.fullmatch(editions):
        raise Refused(
            f"--editions is {editions[:40]!r}: expected 2020..2024, or a number of editions such "
            "as 5"
        )
    folder = home.root / "rehearsal"
    if output:
        folder = Path(output).absolute()
    scratch = Home(folder / "home")
    with hold_lock(Home(folder), "rehearse"):
        return _rehearse(path, editions, folder, scratch)


def _rehearse(landing: str, editions: str | None, folder: Path, scratch: Home) -> int:
    files = hash_landing(Path(landing)) if landing else None
    made_of = asdict(take_fingerprint(files))
    state = State(**read_noted(folder / STATE))
    if state.made_of != made_of:
        state = _start_again(state, made_of, scratch)
    wanted = _wanted(editions, landing, scratch)
    if state.editions != wanted[: len(state.editions)]:
        state = _start_again(state, made_of, scratch)
    say(
        f"citysync rehearse: editions {wanted[0]} to {wanted[-1]} of "
        f"{landing or 'the SIMULATED landing'}, in a home of their own ({scratch.root}); nothing "
        "that is published is touched"
    )
    for place, edition in enumerate(wanted, start=1):
        named = f"edition {edition} ({place} of {len(wanted)})"
        if edition in state.editions:
            progress(f"{named}: has arrived before")
            continue
        progress(f"{named}: figures to {edition - 1}; every line is kept in {scratch.log}")
        code, reason = _arrive(landing, edition, scratch)
        if code == Exit.FAILED and SHRINKS in reason:
            progress(f"  refused: {reason}")
            state.rows.append(refused_row(edition, reason))
            progress("  it arrives all the same (CONFIRM_SHRINK=1), to see what comes after it")
            code, reason = _arrive(landing, edition, scratch, CONFIRM_SHRINK="1")
        if code != Exit.DONE:
            return end_command(
                code, f"{named}: {reason}; the same command goes on from this edition"
            )
        with open_untrusted(scratch.published / DATABASE) as con:
            state.rows += arrival_rows(con, edition)
            changes = change_sentences(con)
        state.editions.append(edition)
        write_noted(folder / STATE, asdict(state))
        _write(folder, state)
        for line in changes:
            progress(f"  {line}")
        _forget_earlier(scratch)
    remove_any(scratch.root)
    remove_any(folder / STATE)
    broken = sum(row["status"] == "broken" for row in state.rows)
    changed = sum(row["kind"] == "verdict" and row["status"] == "changed" for row in state.rows)
    return end_command(
        Exit.DONE,
        f"{len(wanted)} editions arrived; {changed} verdicts changed, {broken} promises were "
        f"broken: {folder / PAGE}",
    )


def _start_again(state: State, made_of: dict[str, str], scratch: Home) -> State:
    """Forget what an interrupted rehearsal of other files, code or editions has done."""
    if state.editions:
        say("  the landing, the code or the editions are others than before: all arrive again")
    remove_any(scratch.root)
    return State(made_of=made_of)


def _wanted(editions: str | None, landing: str, scratch: Home) -> list[int]:
    """Editions that are to arrive, the oldest first."""
    found = OF_EDITIONS.fullmatch(editions or str(ARRIVALS))
    first, last, count = found.groups()
    if first:
        if int(first) > int(last):
            raise Refused(f"--editions is {editions!r}: {first} is after {last}; expected A..B")
        return [*range(int(first), int(last) + 1)]
    newest = _newest(landing, scratch)
    return [*range(newest - max(int(count), 1) + 1, newest + 1)]


def _newest(landing: str, scratch: Home) -> int:
    """Return the newest edition of a landing: that of its files, or the year after its newest
    figures.

    Raises
    ------
    Refused
        If it has no figure of any year.
    """
    progress("the landing is read, to see which years it holds")
    if not landing:
        write_simulated(scratch, number("CITYSYNC_SIMULATED_CITIES"))
    path = landing_path(scratch, landing)
    seen = scratch.root / "seen"
    remove_any(seen)
    seen.mkdir(parents=True)
    # the refresh of the first edition finds these files in the cache
    read_landing(path, scratch.raw, seen, layouts=layouts_of(path))
    with open_memory() as con:
        years = con.execute(NEWEST, [str(seen / "raw" / "*.parquet")]).fetchone()
        files = [str(seen / "input_file.parquet"), POLICY_SOURCE]
        named = con.execute(NEWEST_EDITION, files).fetchone()
    remove_any(seen)
    if years[0] is None:
        raise Refused(
            f"{path}: no figure of the product was found, whose years say which editions arrive; "
            "give them: --editions 2020..2024"
        )
    return max(int(years[0]) + 1, int(named[0] or 0))


def _arrive(landing: str, edition: int, scratch: Home, **settings: str) -> tuple[int, str]:
    """Refresh without the editions after this one; return exit code and reason."""
    command = [sys.executable, "-m", "orchestration.command", "refresh"]
    if landing:
        command.append(f"--landing={landing}")
    with_own = {name: value for name, value in os.environ.items() if name != "CITYSYNC_BUILD"}
    environment = {
        "ANALYSES": "primary",
        **with_own,
        "CITYSYNC_HOME": str(scratch.root),
        "CITYSYNC_CACHE": str(Home.from_environment().cache),
        "CITYSYNC_LANDING": "",
        # the data year of a yearbook is the one before its edition
        "AS_OF_EDITION": str(edition),
        "AS_OF_YEAR": str(edition - 1),
        **settings,
    }
    last = ""
    with subprocess.Popen(  # our own command
        command, cwd=REPO, env=environment, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        for line in process.stdout or ():
            stage = STAGE.search(line)
            if stage:
                progress(f"  {stage.group()}")
            last = line.strip() or last
    found = LAST_LINE.fullmatch(last)
    if found is None:
        return process.returncode or Exit.FAILED, last
    return process.returncode, found[2]


def _forget_earlier(scratch: Home) -> None:
    """Remove publications that no later arrival is compared with; the archive keeps what they
    said.
    """
    current = scratch.published.resolve()
    for folder in (scratch.root / "publications").iterdir():
        if folder.name != current.name and not folder.name.startswith("."):
            remove_any(folder)


def _write(folder: Path, state: State) -> None:
    """Write the table as CSV and Parquet, and the page."""
    import pandas as pd

    frame = pd.DataFrame(state.rows, columns=list(COLUMNS)).astype(TYPES)
    with write_whole(folder / "rehearsal.csv") as draft:
        frame.to_csv(draft, index=False)
    with write_whole(folder / "rehearsal.parquet") as draft:
        frame.to_parquet(draft, index=False)
    page = fill(Path(__file__).with_name("rehearsal.html.j2"), rows=state.rows)
    write_text(folder / PAGE, page)
