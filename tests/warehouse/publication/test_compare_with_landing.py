"""Published rows against the same files read again: a difference in any column that is compared is
found and shown with its cell.
"""

import shutil
from pathlib import Path

import duckdb
import pytest

from warehouse.hashing import hash_file
from warehouse.publication.compare_with_landing import input_faults, value_faults

VALUES = {
    "source_id": "'tidy'",
    "edition_year": "null::int",
    "file_name": "'a.csv'",
    "sheet_name": "null::text",
    "cell_ref": "'D' || k",
    "place_level": "'city'",
    "city_id": "110000",
    "indicator_id": "'gdp'",
    '"year"': "2000 + k",
    "raw_text": "k::text",
    "value_delivered": "k::double",
    "unit_delivered": "'万元'",
    '"value"': "k / 10000",
    "unit": "'100m'",
}
LINES = dict.fromkeys(
    (
        "source_id",
        "file_name",
        "sheet_name",
        "cell_ref",
        "raw_text",
        "reason",
        "indicator_id",
        "unit_text",
    ),
    "null::text",
)
LINES |= {
    "edition_year": "null::int",
    "source_id": "'tidy'",
    "file_name": "'a.csv'",
    "cell_ref": "'D9'",
    "reason": "'dropped_row'",
}
CLAUSES = {"document_id": "'plan.txt'", "clause_no": "k::int", "clause_text": "'第' || k || '条'"}
OTHER = {
    "edition_year": "2020",
    '"year"': "1999",
    "city_id": "120000",
    "value_delivered": "-1",
    '"value"': "'nan'::double",
    "clause_no": "99",
}


def write(path: Path, tables: dict[str, dict[str, str]]) -> Path:
    """A database with three rows in each table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(path)) as con:
        for name, columns in tables.items():
            con.execute(f"create schema if not exists {name.split('.')[0]}")
            con.execute(
                f"create table {name} as select "
                f"{', '.join(f'{e} as {c}' for c, e in columns.items())} from range(3) rows(k)"
            )
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(
        tmp_path_factory.mktemp("published") / "citysync.duckdb",
        {
            "marts.fct_indicator_observation": VALUES,
            "quality.rejected_value": LINES,
            "marts.fct_policy_clause": CLAUSES,
        },
    )


@pytest.fixture
def published(whole: Path, tmp_path: Path) -> Path:
    """A copy, which a test changes."""
    return Path(shutil.copy(whole, tmp_path))


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same from files that were read again; nobody changes it."""
    return write(
        tmp_path_factory.mktemp("again") / "citysync.duckdb",
        {
            "intermediate.int_observations_corrected": VALUES,
            "quality.rejected_value": LINES,
            "staging.stg_policy__clauses": CLAUSES,
        },
    )


TABLES = "marts.fct_indicator_observation", "quality.rejected_value", "marts.fct_policy_clause"
PUBLISHED, MISSING = (
    ("1 published ", "that the delivered files do not hold, first "),
    ("1 ", "of the delivered files that are not published so, first "),
)
#: What is done to a published table, and the faults that are found.
CHANGES = [
    *(
        (f"update {table} set {column} = {OTHER.get(column, repr('other'))} where rowid = 1", both)
        for table, columns in zip(TABLES, (VALUES, LINES, CLAUSES), strict=True)
        for column in columns
        for both in [[PUBLISHED, MISSING]]
    ),
    *((f"delete from {table} where rowid = 1", [MISSING]) for table in TABLES),
    *((f"insert into {table} from {table} where rowid = 1", [PUBLISHED]) for table in TABLES),
]


@pytest.mark.parametrize(("change", "found"), CHANGES)
def test_a_difference_in_any_row_and_column_is_found(
    published: Path, again: Path, change: str, found: list[tuple[str, str]]
) -> None:
    with duckdb.connect(str(published)) as con:
        con.execute(change)
    faults, _ = value_faults(published, again.parent, [])
    assert len(faults) == len(found)
    for fault, (beginning, words) in zip(faults, found, strict=True):
        assert fault.startswith(beginning) and words in fault


def test_equal_rows_are_no_fault_and_those_of_files_that_changed_are_left_out(
    published: Path, again: Path
) -> None:
    assert value_faults(published, again.parent, []) == ([], 9)
    with duckdb.connect(str(published)) as con:
        con.execute(
            "update marts.fct_indicator_observation set raw_text = 'x'; update "
            "marts.fct_policy_clause set clause_text = 'x'"
        )
    assert value_faults(published, again.parent, ["tidy/a.csv", "policy_texts/plan.txt"]) == ([], 0)


def test_files_are_compared_with_their_hashes(tmp_path: Path) -> None:
    for name in ("same.csv", "other.csv"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    present = {name: tmp_path / name for name in ("same.csv", "other.csv", "link.csv")}
    same = hash_file(tmp_path / "same.csv")
    inputs = [{"path": name, "sha256": same} for name in ("same.csv", "other.csv", "gone.csv")] + [
        {"path": "link.csv", "sha256": None}
    ]
    faults = input_faults(inputs, tmp_path, present)
    assert sorted(faults) == ["gone.csv", "other.csv"]
    assert (
        "missing" in faults["gone.csv"]
        and "it is not the file that was published" in faults["other.csv"]
    )
