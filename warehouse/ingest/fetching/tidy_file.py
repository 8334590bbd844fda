"""Values of a service as a `tidy` file: places and units are checked against the seeds before
anything is written.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from warehouse.ingest.cells.cell_values import parse_number, parse_year
from warehouse.ingest.drafting.header_matching import Catalog, build_catalog
from warehouse.ingest.errors import IngestError
from warehouse.ingest.place_names import (
    place_key,
    read_place_names,
    read_province_names,
    read_seed,
    six_digit_code,
)
from warehouse.whole_files import write_text

COLUMNS = ("city_id", "year", "indicator_id", "value", "unit")
_SHOWN = 10


@dataclass(frozen=True)
class FetchedValue:
    """One value as the service states it: code and name of the place, year, indicator of the
    catalog, text of the value, unit.
    """

    place_code: str
    place_name: str
    year: str
    indicator_id: str
    value: str
    unit: str


def write_tidy(values: Iterable[FetchedValue], target: Path) -> Counter[str]:
    """Check values and write them, whole or not at all; the number of values by indicator.

    Parameters
    ----------
    values : iterable of FetchedValue
        Those with a blank text are no values and left out.
    target : Path
        CSV file of the source ``tidy``; an older one is replaced.

    Raises
    ------
    IngestError
        A place whose code and name are not one place of its level, a unit that does not convert, or
        a text that is no number or no year; or no value at all. Nothing is written then.
    """
    rows, faults = [], []
    for value in values:
        if not value.value.strip():
            continue
        fault = _fault(value)
        if fault:
            faults.append(fault)
        else:
            place = (
                100000
                if _catalog().place_level[value.indicator_id] == "country"
                else six_digit_code(value.place_code)
            )
            rows.append(
                (place, parse_year(value.year), value.indicator_id, value.value.strip(), value.unit)
            )
    of_cells = Counter(row[:3] for row in set(rows))
    for (place, year, indicator_id), n in of_cells.items():
        if n > 1:
            faults.append(f"{n} values of {indicator_id} of {place} in {year}")
    if faults:
        shown = list(dict.fromkeys(faults))
        more = f"; and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
        raise IngestError(
            "expected places, units and numbers that the seeds know, one a year; found "
            f"{'; '.join(shown[:_SHOWN])}{more}; nothing was written"
        )
    if not rows:
        raise IngestError("expected values; found none in any reply; nothing was written")
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerows([COLUMNS, *sorted(set(rows))])
    target.parent.mkdir(parents=True, exist_ok=True)
    write_text(target, stream.getvalue())
    return Counter(row[2] for row in set(rows))


def _fault(value: FetchedValue) -> str | None:
    known = _catalog()
    level = known.place_level.get(value.indicator_id)
    if level is None:
        return f"indicator {value.indicator_id!r}, which the catalog does not know"
    if not _is_place(value, level):
        return f"code {value.place_code!r} with the name {value.place_name!r}, which is no {level}"
    unit, canonical = "".join(value.unit.split()).lower(), known.canonical_unit[value.indicator_id]
    if unit and unit != canonical and (unit, canonical) not in known.units:
        return f"unit {value.unit!r} of {value.indicator_id}, which does not convert to {canonical}"
    if parse_year(value.year) is None:
        return f"year {value.year!r}"
    return (
        f"value {value.value!r} of {value.indicator_id}"
        if parse_number(value.value) is None
        else None
    )


def _is_place(value: FetchedValue, level: str) -> bool:
    if level == "country":
        return True
    code, key = six_digit_code(value.place_code), place_key(value.place_name)
    if level == "province":
        return code is not None and read_province_names().get(key) == code
    names = read_place_names()
    return code is not None and code in names.codes and names.codes[code] == names.aliases.get(key)


@cache
def _catalog() -> Catalog:
    return build_catalog(read_seed("indicator_catalog"), read_seed("unit_factors"), ())
