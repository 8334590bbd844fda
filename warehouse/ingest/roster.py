"""The roster of places that a landing brings: places of any level take the place of the seed's
prefectures, for this landing alone.

`<landing>/places/roster.csv` has a row a place, `<landing>/places/zones.csv` (optional) a row a
pilot zone. Both are facts and not statistics, so a fault in them stops the run; every fault is
named. Without a roster the seeds are used.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from warehouse.ingest.errors import FileFault, LandingError
from warehouse.ingest.place_names import read_seed
from warehouse.ingest.unchanged_files import open_delivered, take_snapshot

PLACES_SOURCE = "places"
ROSTER, ZONES = "roster.csv", "zones.csv"
MOST_FAULTS = 20
# all places of the country down to streets are a few megabytes
MOST_BYTES = 20_000_000
# the columns of the seed city_roster that a roster gives; the others come from the parent's
# province
PLACE_COLUMNS = (
    "city_id",
    "city_name_zh",
    "city_name_en",
    "parent_id",
    "lon_deg",
    "lat_deg",
    "valid_from_year",
    "valid_to_year",
)
OPTIONAL = ("admin_rank", "is_coastal")
ZONE_OPTIONAL = ("revoked_date",)
ZONE_COLUMNS = (
    "zone_name_zh",
    "zone_name_en",
    "city_id",
    "batch",
    "approval_date",
    "document_no",
    "is_whole_prefecture",
    "evidence",
)
# mainland China and its islands lie well inside; what is outside was exchanged or is in another
# unit
LONGITUDES, LATITUDES = (60.0, 150.0), (0.0, 60.0)
BATCHES = (1, 99)


def read_roster(landing: Path) -> tuple[pa.Table, pa.Table] | None:
    """Return places and pilot zones of a landing in the columns of the seeds city_roster and
    pilot_zones; None where it brings no roster.

    Parameters
    ----------
    landing : Path
        Folder as delivered.

    Returns
    -------
    tuple of pyarrow.Table
        Places by `city_id`, zones by name; no zone where no file of zones lies there.

    Raises
    ------
    LandingError
        With file, row, column, what was expected and what was found of every fault (at most
        MOST_FAULTS of a file).
    """
    folder = landing / PLACES_SOURCE
    for name in (ROSTER, ZONES):
        if (folder / name).exists() and not (folder / name).resolve().is_relative_to(
            landing.resolve()
        ):
            raise LandingError(
                f"{folder / name}: expected a file of this landing; found a link that leaves it; "
                "deliver the file itself"
            )
        # without this the seeds would silently be used instead
        if os.path.lexists(folder / name) and not (folder / name).is_file():
            raise LandingError(
                f"{folder / name}: expected a file; found a folder, pipe or broken link; deliver "
                "the file, or remove it"
            )
    if not (folder / ROSTER).is_file():
        if (folder / ZONES).is_file():
            raise LandingError(
                f"{folder / ZONES}: expected {ROSTER} beside it; found none; deliver the places "
                "that these zones lie in"
            )
        if os.environ.get("PLACES") == "county":
            raise LandingError(
                f"PLACES=county: expected the roster of these places as {folder / ROSTER} "
                "(docs/layouts.md says its columns), found none; deliver it"
            )
        return None
    places = _places(folder / ROSTER)
    return places, _zones(folder / ZONES, set(places["city_id"].to_pylist()))


def _places(path: Path) -> pa.Table:
    rows, faults = _rows(path, PLACE_COLUMNS, OPTIONAL), Faults(path)
    checks = {
        "city_id": ("a code of six digits", _code),
        "city_name_zh": ("a name", _text),
        "city_name_en": ("a name", _text),
        "parent_id": ("a code of six digits", _code),
        "lon_deg": (
            f"degrees east between {LONGITUDES[0]:g} and {LONGITUDES[1]:g}",
            _between(*LONGITUDES),
        ),
        "lat_deg": (
            f"degrees north between {LATITUDES[0]:g} and {LATITUDES[1]:g}",
            _between(*LATITUDES),
        ),
        "valid_from_year": ("a year between 1900 and 2100", _year),
        "valid_to_year": (
            "a year between 1900 and 2100, or nothing",
            lambda text: _year(text) if text else None,
        ),
        "admin_rank": (
            "a rank between 1 and 4, or nothing",
            lambda text: int(_between(1, 4)(text)) if text else 1,
        ),
        "is_coastal": ("true or false, or nothing", lambda text: _truth(text) if text else False),
    }
    found = [faults.check(row, number, checks) for number, row in rows]
    for column in ("city_id", "city_name_zh", "city_name_en"):
        faults.require_unique(found, column)
    provinces = _provinces(found)
    for place in found:
        parent = place["parent_id"]
        if parent is not None and parent not in provinces:
            faults.add(
                place["row"],
                "parent_id",
                "the code of a province, a prefecture of the seed or a place of this file",
                parent,
            )
        ends = place["valid_to_year"]
        if (
            ends is not None
            and place["valid_from_year"] is not None
            and ends < place["valid_from_year"]
        ):
            faults.add(
                place["row"],
                "valid_to_year",
                f"no year before valid_from_year {place['valid_from_year']}",
                ends,
            )
    faults.raise_any()
    return pa.Table.from_pylist(
        [
            place | provinces[place["parent_id"]]
            for place in sorted(found, key=lambda p: p["city_id"])
        ],
        PLACES,
    )


def _provinces(places: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Return the province of every code that may be a parent: provinces, prefectures of the seed,
    and places of the file whose parents lead to one.
    """
    columns = ("province_id", "province_name_zh", "province_name_en", "region")
    known: dict[int, dict[str, Any]] = {}
    for seed, code in (("province_roster", "province_id"), ("city_roster", "city_id")):
        for row in read_seed(seed):
            known[int(row[code])] = {
                name: int(row[name]) if name == "province_id" else row[name] for name in columns
            }
    parents = {place["city_id"]: place["parent_id"] for place in places}
    for place in places:
        chain: list[int] = []
        at = place["city_id"]
        while at in parents and at not in known and at not in chain:
            chain.append(at)
            at = parents[at]
        if at in known:
            known.update(dict.fromkeys(chain, known[at]))
    return known


def _zones(path: Path, places: set[int]) -> pa.Table:
    if not path.is_file():
        return ZONE_SCHEMA.empty_table()
    rows, faults = _rows(path, ZONE_COLUMNS, ZONE_OPTIONAL), Faults(path)
    checks = {
        "zone_name_zh": ("a name", _text),
        "zone_name_en": ("a name", _text),
        "city_id": ("a code of six digits", _code),
        "batch": (
            f"a batch between {BATCHES[0]} and {BATCHES[1]}",
            lambda text: int(_between(*BATCHES)(text)),
        ),
        "approval_date": ("a date such as 2015-03-07", date.fromisoformat),
        "revoked_date": (
            "a date such as 2025-04-25, or nothing",
            lambda text: date.fromisoformat(text) if text else None,
        ),
        "document_no": ("a text, or nothing", lambda text: text or None),
        "is_whole_prefecture": ("true (the zone is the whole place) or false", _truth),
        "evidence": ("a text", _text),
    }
    found = [faults.check(row, number, checks) for number, row in rows]
    for column in ("zone_name_zh", "zone_name_en"):
        faults.require_unique(found, column)
    for zone in found:
        if zone["city_id"] is not None and zone["city_id"] not in places:
            faults.add(zone["row"], "city_id", f"a place of {ROSTER}", zone["city_id"])
    faults.raise_any()
    return pa.Table.from_pylist(found, ZONE_SCHEMA)


PLACES = pa.schema(
    [
        ("city_id", pa.int32()),
        *((name, pa.string()) for name in ("city_name_zh", "city_name_en")),
        ("province_id", pa.int32()),
        *((name, pa.string()) for name in ("province_name_zh", "province_name_en", "region")),
        ("admin_rank", pa.int32()),
        ("is_coastal", pa.bool_()),
        *((name, pa.float64()) for name in ("lon_deg", "lat_deg")),
        *((name, pa.int32()) for name in ("valid_from_year", "valid_to_year")),
    ]
)
ZONE_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("zone_name_zh", "zone_name_en")),
        *((name, pa.int32()) for name in ("city_id", "batch")),
        ("approval_date", pa.date32()),
        ("revoked_date", pa.date32()),
        ("document_no", pa.string()),
        ("is_whole_prefecture", pa.bool_()),
        ("evidence", pa.string()),
    ]
)


class Faults:
    """What is wrong with one file, a line a fault, so that all of them are put right at once."""

    def __init__(self, path: Path) -> None:
        self.path, self.lines = path, []

    def add(self, row: int, column: str, expected: str, found: object) -> None:
        """One fault; the row is counted as a spreadsheet does, the header being 1."""
        self.lines.append(
            f"{self.path}, row {row}, column {column}: expected {expected}; found {found!r}"
        )

    def check(
        self,
        row: Mapping[str, str],
        number: int,
        checks: Mapping[str, tuple[str, Callable[[str], Any]]],
    ) -> dict[str, Any]:
        """Return the row's values, None where one is not what it may be."""
        values: dict[str, Any] = {"row": number}
        for column, (expected, convert) in checks.items():
            text = (row.get(column) or "").strip()
            try:
                values[column] = convert(text)
            except ValueError:
                values[column] = None
                self.add(number, column, expected, text[:60] if text else "nothing")
        return values

    def require_unique(self, rows: list[dict[str, Any]], column: str) -> None:
        """A fault for each row whose value an earlier row has."""
        seen: dict[Any, int] = {}
        for row in rows:
            value = row[column]
            if value is not None and value in seen:
                self.add(
                    row["row"], column, f"a value of its own (row {seen[value]} has it)", value
                )
            seen.setdefault(value, row["row"])

    def raise_any(self) -> None:
        """Raise LandingError where there are faults."""
        if self.lines:
            more = (
                [f"{len(self.lines) - MOST_FAULTS} more of the same file"]
                if len(self.lines) > MOST_FAULTS
                else []
            )
            raise LandingError(
                (
                    f"{self.path}: expected a roster without faults; found {len(self.lines)}; put "
                    "them right, then refresh again"
                ),
                [*self.lines[:MOST_FAULTS], *more],
            )


def _rows(
    path: Path,
    required: tuple[str, ...],
    optional: tuple[str, ...] = (),
) -> list[tuple[int, dict[str, str]]]:
    """Return rows with their number; a byte order mark and empty lines are let pass."""
    try:
        take_snapshot(path, MOST_BYTES, "roster", "deliver the places alone")
        with open_delivered(path) as stream:
            content = stream.read()
    except FileFault as fault:
        raise LandingError(f"{path}: {fault}") from fault
    try:
        text = content.decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""))
        rows = [
            (reader.line_num, row)
            for row in reader
            if any(value for value in row.values() if isinstance(value, str))
        ]
    except (UnicodeDecodeError, csv.Error) as error:
        raise LandingError(
            f"{path}: expected a CSV file in UTF-8; found {type(error).__name__}; save it as CSV "
            "UTF-8"
        ) from error
    header = [name or "" for name in reader.fieldnames or []]
    missing, unknown = (
        [name for name in required if name not in header],
        [name for name in header if name not in (*required, *optional)],
    )
    if missing or unknown or len(set(header)) < len(header):
        found = ", ".join(map(repr, header[:20])) or "an empty file"
        raise LandingError(
            f"{path}, row 1: expected the columns {', '.join(required)} (and "
            f"{', '.join(optional) or 'no other'}); found {found}"
        )
    if not rows:
        raise LandingError(f"{path}: expected a row a place or zone; found a header alone")
    return rows


def _text(text: str) -> str:
    if not text or not text.isprintable():
        raise ValueError
    return text


def _code(text: str) -> int:
    if len(text) != 6 or not (text.isascii() and text.isdecimal()) or text[0] == "0":
        raise ValueError
    return int(text)


def _year(text: str) -> int:
    return int(_between(1900, 2100)(text))


def _between(lowest: float, highest: float) -> Callable[[str], float]:
    def convert(text: str) -> float:
        value = float(text)
        if not lowest <= value <= highest or (isinstance(lowest, int) and value != int(value)):
            raise ValueError
        return value

    return convert


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError
    return text.lower() == "true"
