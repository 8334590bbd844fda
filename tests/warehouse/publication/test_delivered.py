"""Published rows against the same files read again: a difference in any column that is compared is
found and shown with its cell.
"""

from pathlib import Path

import duckdb
import pytest

from warehouse.hashing import hash_file
from warehouse.publication.delivered import input_faults, value_faults

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


@pytest.fixture
def published(tmp_path: Path) -> Path:
    return write(
        tmp_path / "published" / "citysync.duckdb",
        {
            "marts.fct_indicator_observation": VALUES,
            "quality.rejected_value": LINES,
            "marts.fct_policy_clause": CLAUSES,
        },
    )


@pytest.fixture
def again(tmp_path: Path) -> Path:
    return write(
        tmp_path / "again.duckdb",
        {
            "intermediate.int_observations_corrected": VALUES,
            "quality.rejected_value": LINES,
            "staging.stg_policy__clauses": CLAUSES,
        },
    )


def test_equal_rows_are_no_fault(published: Path, again: Path) -> None:
    assert value_faults(published.parent, again, []) == ([], 9)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        *(("marts.fct_indicator_observation", column) for column in VALUES),
        *(("quality.rejected_value", column) for column in LINES),
        *(("marts.fct_policy_clause", column) for column in CLAUSES),
    ],
)
def test_a_difference_in_any_column_is_found(
    published: Path, again: Path, table: str, column: str
) -> None:
    with duckdb.connect(str(published)) as con:
        con.execute(
            f"update {table} set {column} = {OTHER.get(column, repr('other'))} where rowid = 1"
        )
    faults, _ = value_faults(published.parent, again, [])
    assert len(faults) == 2
    assert (
        faults[0].startswith("1 published ")
        and "that the delivered files do not hold, first " in faults[0]
    )
    assert (
        faults[1].startswith("1 ")
        and "of the delivered files that are not published so, first " in faults[1]
    )


@pytest.mark.parametrize(
    "change", ["delete from {} where rowid = 1", "insert into {0} from {0} where rowid = 1"]
)
@pytest.mark.parametrize(
    "table",
    ["marts.fct_indicator_observation", "quality.rejected_value", "marts.fct_policy_clause"],
)
def test_a_row_that_is_gone_or_twice_is_found(
    published: Path, again: Path, table: str, change: str
) -> None:
    with duckdb.connect(str(published)) as con:
        con.execute(change.format(table))
    assert len(value_faults(published.parent, again, [])[0]) == 1


def test_rows_of_files_that_changed_are_left_out(published: Path, again: Path) -> None:
    with duckdb.connect(str(published)) as con:
        con.execute(
            "update marts.fct_indicator_observation set raw_text = 'x'; update "
            "marts.fct_policy_clause set clause_text = 'x'"
        )
    assert value_faults(published.parent, again, ["tidy/a.csv", "policy_texts/plan.txt"]) == ([], 0)


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
