"""`cs.etable`: what stands in a table, in every format, and that names of a person's data stay
text.
"""

import csv

import numpy as np
import pandas as pd
import pytest

import estimation as cs
from estimation.api.writers import to_html, to_latex

from .panels import COLUMNS, country_panel

HOSTILE = "=1+1<b>&|\\x{}_%$"


@pytest.fixture(scope="module")
def fits():
    frame, _, cohorts, blocks = country_panel()
    options = {**COLUMNS, "cohort": cohorts, "block": blocks, "permutations": 99}
    return (
        cs.fit(frame, "y", controls=["x0"], **options),
        cs.fit(frame, "y", estimator="event_study", binning=(-2, 1), **options),
    )


def _cells(table):
    return {(label, k): cells for k, (label, cells) in enumerate(table.rows)}


def test_estimates_errors_brackets_effects_and_sizes_stand_in_their_rows(fits):
    table = cs.etable(*fits, labels={"treated": "Euro"}, title="Two columns")
    rows = list(table.rows)
    default = fits[0].default("treated")
    p = next(e.p_value for e in fits[0].estimates if e.vcov == "permutation")
    assert rows[0] == ("Euro", (f"{default.estimate:.4f}", ""))
    assert rows[1] == ("", (f"({default.std_error:.4f})", ""))
    assert rows[2] == ("", (f"[{p:.3f}]", ""))
    foot = dict(rows[table.first_of_foot :])
    assert foot["pair effects"] == ("yes", "yes") and foot["estimator"] == (
        "two-way",
        "event study",
    )
    assert foot["inference"] == ("jackknife over blocks", "jackknife over blocks")
    assert foot["units"] == ("33", "33") and foot["treated units"] == ("12", "12")
    assert not any("*" in cell for _, cells in rows for cell in cells)
    assert table.headers == ("y", "y") and "Two columns" in repr(table)


def test_a_line_may_be_chosen(fits):
    frame, _, cohorts, blocks = country_panel()
    fit = cs.fit(
        frame,
        "y",
        **COLUMNS,
        cohort=cohorts,
        block=blocks,
        vcov=["conventional", "dyadic"],
        permutations=0,
    )
    table = cs.etable(fit, vcov="dyadic")
    error = next(e.std_error for e in fit.estimates if e.vcov == "dyadic")
    assert table.rows[1] == ("", (f"({error:.4f})",)) and dict(table.rows)["inference"] == (
        "dyadic",
    )


def test_the_dagger_is_the_primary_tests_alone(fits):
    from tests.estimation.primary.economies import draw_panel

    growth, years, cohort, block = draw_panel(7, calmer=0.6)
    unit, year = np.indices(growth.shape)
    frame = pd.DataFrame(
        {
            "city_id": unit.ravel(),
            "year": years[year.ravel()],
            "growth": growth.ravel(),
            "block_id": block[unit.ravel()],
        }
    )
    found = cs.primary(
        frame, cohort={k: int(c) for k, c in enumerate(cohort) if c}, permutations=199, seed=2
    )
    table = cs.etable(fits[0], found)
    marked = [cell for _, cells in table.rows for cell in cells if "†" in cell]
    assert found.rejects and marked == [f"{found.result.estimate:.4f}†"]
    assert any("primary test rejects" in note for note in table.notes)
    assert not any("†" in note for note in cs.etable(fits[0]).notes)


@pytest.mark.parametrize("ending", ["docx", "tex", "html", "md", "csv"])
def test_every_format_holds_every_cell(fits, tmp_path, ending):
    path = tmp_path / f"table.{ending}"
    table = cs.etable(
        *fits, file=path, labels={"treated": HOSTILE}, headers=["a & b", "<i>"], title="T_1"
    )
    if ending == "docx":
        from docx import Document

        (grid,) = Document(path).tables
        found = [tuple(cell.text for cell in row.cells) for row in grid.rows]
        assert found[1:] == [
            ("", *table.headers),
            *((label, *cells) for label, cells in table.rows),
        ]
    elif ending == "csv":
        with path.open(encoding="utf-8", newline="") as file:
            found = list(csv.reader(file))
        assert found[2][0] == "'" + HOSTILE and found[2][1] == table.rows[0][1][0]
    else:
        text = path.read_text(encoding="utf-8")
        for cell in (
            cell for _, cells in table.rows for cell in cells if cell and not cell.startswith("[")
        ):
            assert cell in text


def test_names_are_no_markup(fits):
    table = cs.etable(
        fits[0],
        labels={"treated": HOSTILE, "x0": "<script>alert(1)</script>"},
        headers=["<img src=x>"],
    )
    page, tex, markdown = to_html(table), to_latex(table), repr(table)
    assert "<script>" not in page and "<img" not in page and "&lt;script&gt;" in page
    assert r"=1+1<b>\&|\textbackslash{}x\{\}\_\%\$" in tex
    assert r"=1+1<b>&\|\\x{}_%$" in markdown


def test_what_cannot_be_a_table_is_said(fits, tmp_path):
    with pytest.raises(ValueError, match="takes one result"):
        cs.etable()
    with pytest.raises(ValueError, match="headers: expected 2, found 1"):
        cs.etable(*fits, headers=["one"])
    with pytest.raises(ValueError, match=r"ends in \.docx, \.tex"):
        cs.etable(*fits, file=tmp_path / "t.pdf")
