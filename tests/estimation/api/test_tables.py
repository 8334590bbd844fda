"""`cs.etable`: what stands in a table, in every format, and that names of a person's data stay
text.
"""

import re

import pyfixest as pf
import pytest
from docx import Document

import estimation as cs
from estimation.api.text import degrees
from tests.estimation.primary.test_command import _frame

HOSTILE = "=1+1<b>&|\\x{}_%$"


@pytest.fixture(scope="module")
def fits(frame, drawn):
    return (
        cs.fit(frame, "y", controls=["x0"], **drawn),
        cs.fit(frame, "y", estimator="event_study", binning=(-2, 1), **drawn),
    )


def test_estimates_errors_brackets_effects_and_sizes_stand_in_their_rows(fits):
    table = cs.etable(*fits, labels={"treated": "Euro"}, title="Two columns")
    default = fits[0].default("treated")
    p = next(e.p_value for e in fits[0].estimates if e.vcov == "permutation")
    assert list(table.rows)[:3] == [
        ("Euro", (f"{default.estimate:.4f}", "")),
        ("", (f"({default.std_error:.4f})", "")),
        ("", (f"[{p:.3f}]", "")),
    ]
    foot = dict(list(table.rows)[table.first_of_foot :])
    expected = {
        "pair effects": ("yes", "yes"),
        "estimator": ("two-way", "event study"),
        "inference": ("jackknife over blocks",) * 2,
        "units": ("33", "33"),
        "treated units": ("12", "12"),
    }
    assert expected.items() <= foot.items()
    assert not any("*" in cell for _, cells in table.rows for cell in cells)


def test_coefficients_may_be_chosen(frame, given):
    fit = cs.fit(frame, "y", estimator="callaway_santanna", **given)
    table = cs.etable(fit, keep=["att", "event[0]"])
    shown = [label for label, _ in table.rows[: table.first_of_foot] if label]
    assert shown == ["att", "event[0]"]
    assert "none" not in dict(table.rows)["inference"][0]
    events = [label for label, _ in cs.etable(fit, keep=["event"]).rows if "event" in label]
    assert events == [f"event[{e.event_time}]" for e in fit.estimates if e.term == "event"]


def test_no_two_coefficients_of_a_fit_share_a_row(flows):
    errors = cs.vcov(pf.feols("y ~ x + z | year", flows), ("a", "b"), vcov="dyadic")
    for labels in ({"x": "z"}, {"z": "x"}, {"x": "Size", "z": "Size"}):
        with pytest.raises(cs.PanelError, match="for x and z"):
            cs.etable(errors, labels=labels)
    (estimate,) = cs.etable(errors, keep=["z"], labels={"x": "z"}).rows[0][1]
    assert estimate == f"{errors.estimate[1]:.4f}"


def test_effects_have_labels(flows):
    errors = cs.vcov(pf.feols("y ~ x | a + year", flows), ("a", "b"))
    assert dict(cs.etable(errors, labels={"a": "Exporter"}).rows)["effects"] == ("Exporter + year",)


def test_large_numbers_keep_the_digits_after_the_point(flows):
    errors = cs.vcov(pf.feols("y ~ x", flows.assign(y=flows["y"] * 1e8)), ("a", "b"), vcov="pair")
    (shown,) = cs.etable(errors, keep=["x"], digits=2).rows[0][1]
    assert shown == f"{errors.estimate[1]:.2f}"


def test_the_dagger_is_the_primary_tests_alone(fits):
    found = cs.primary(_frame(calmer=0.6), permutations=199, seed=2)
    table = cs.etable(fits[0], found)
    marked = [cell for _, cells in table.rows for cell in cells if "†" in cell]
    assert found.rejects and marked == [f"{found.result.estimate:.4f}†"]
    assert any("primary test rejects" in note for note in table.notes)
    assert not any("†" in note for note in cs.etable(fits[0]).notes)


def test_an_error_by_pair_in_place_of_the_dyadic_one_has_a_footnote(flows):
    fit = pf.feols("y ~ x + z + w + any | pair + year", flows)
    errors = cs.vcov(fit, ("a", "b"), vcov=["dyadic", "unit"])
    raised = [term for term in errors.term.unique() if any(term in note for note in errors.notes)]
    said = "the dyadic variance came out below that by pair"
    table = cs.etable(errors, errors, labels={raised[0]: "named"})
    (note,) = [note for note in table.notes if said in note]
    assert "(1) named" in note and "(2) named" in note
    assert said not in str(cs.etable(errors, vcov="unit"))
    others = [term for term in errors.term.unique() if term not in raised]
    assert others and said not in str(cs.etable(errors, keep=others))


@pytest.mark.parametrize("column", ["estimate", "std_error"])
def test_errors_that_were_changed_since_are_refused(flows, column):
    errors = cs.vcov(pf.feols("y ~ x | pair + year", flows), ("a", "b"))
    assert "x" in str(cs.etable(errors))
    errors.loc[0, column] = 9.0
    with pytest.raises(cs.PanelError):
        cs.etable(errors)


@pytest.mark.parametrize(
    ("value", "shown"), [(1.0, "1"), (1.02, "1"), (5.94, "5.9"), (99.97, "100"), (131.2, "131")]
)
def test_degrees_that_are_shown_alike_are_one_number(value, shown):
    assert degrees(value) == shown


@pytest.mark.parametrize("ending", ["docx", "tex", "html", "md", "csv"])
def test_every_format_holds_every_cell_and_names_are_no_markup(fits, tmp_path, ending):
    path = tmp_path / f"table.{ending}"
    labels = {"treated": HOSTILE, "x0": "<script>alert(1)</script>"}
    table = cs.etable(*fits, file=path, labels=labels, headers=["a & b", "<i>"], title="T_1 <i>")
    if ending == "docx":
        (grid,) = Document(path).tables
        found = [tuple(cell.text for cell in row.cells) for row in grid.rows]
        rows = [(label, *cells) for label, cells in table.rows]
        assert found[1:] == [("", *table.headers), *rows]
        return
    text = path.read_text(encoding="utf-8")
    numbers = [cell for _, cells in table.rows for cell in cells if cell and cell[0] != "["]
    if ending == "tex":
        numbers = [re.sub(r"(?<!\w)-(?=\d)", "$-$", cell) for cell in numbers]
    assert all(cell in text for cell in numbers)
    label = {
        "csv": "'" + HOSTILE,
        "html": "&lt;script&gt;alert",
        "tex": r"=1+1\textless{}b\textgreater{}\&\textbar{}\textbackslash{}x\{\}\_\%\$",
        "md": r"=1+1\<b>&\|\\x{}_%$",
    }[ending]
    assert label in text and (ending != "html" or "<script>" not in text)
    assert ending != "md" or r"**T_1 \<i>**" in text
