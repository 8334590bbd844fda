"""Pictures of a fit: what they show is what was estimated."""

import matplotlib as mpl
import pytest
from matplotlib import pyplot

import estimation as cs

mpl.use("Agg")


@pytest.fixture(scope="module")
def fits(frame, drawn):
    return {name: cs.fit(frame, "y", estimator=name, **drawn) for name in ("twfe", "event_study")}


def _points(ax):
    return {
        (round(x, 9), round(y, 9))
        for line in ax.lines
        if line.get_marker() == "o"
        for x, y in zip(*line.get_data(), strict=True)
    }


def test_the_event_study_shows_every_estimate_its_intervals_and_the_reference(fits):
    fit = fits["event_study"]
    ax = fit.plot()
    default = [e for e in fit.estimates if e.is_default]
    assert _points(ax) == {(e.event_time, round(e.estimate, 9)) for e in default} | {(-1, 0)}
    drawn = {
        round(float(segment[1][1]), 9)
        for lines in ax.collections
        if hasattr(lines, "get_segments")
        for segment in lines.get_segments()
    }
    assert {round(e.ci_high, 9) for e in fit.estimates if e.ci_high is not None} <= drawn
    assert [0, 0] in [list(line.get_ydata()) for line in ax.lines]


def test_the_density_is_of_the_placebo_estimates(fits):
    fit = fits["twfe"]
    ax = fit.plot("permutation")
    drawn = fit.parts.draws["treated"]
    area = sum(patch.get_height() * patch.get_width() for patch in ax.patches)
    assert len(drawn) == 99 and area == pytest.approx(1)
    assert min(patch.get_x() for patch in ax.patches) == pytest.approx(drawn.min())
    assert any("99 reassignments" in text.get_text() for text in ax.get_legend().get_texts())


def test_influence_shows_the_estimate_without_each_block(fits):
    fit = fits["twfe"]
    ax = fit.plot("influence")
    blocks, values = fit.parts.without_block["treated"]
    assert {x for x, _ in _points(ax)} == {round(float(v), 9) for v in values} and len(blocks) == 11


def test_a_file_has_the_same_bytes_again_and_an_axis_may_be_given(fits, tmp_path):
    for name in ("a.svg", "b.svg"):
        fits["event_study"].plot(file=tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    _, axes = pyplot.subplots(1, 2)
    assert fits["twfe"].plot(ax=axes[1]) is axes[1]
