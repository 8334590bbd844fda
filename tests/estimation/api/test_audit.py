"""`cs.audit` against literal loops: what is exchanged, what is fitted again, what the card says."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pyfixest as pf
import pytest
from scipy.stats import binom

import estimation as cs
from tests.estimation.parity import agrees

UNITS, PERIODS = 10, 4
UNIT = ("a", "b")


def panel(seed: int, units: int = UNITS) -> pd.DataFrame:
    """All pairs of units, one row a pair and period; shocks of units, no effect."""
    rng = np.random.default_rng(seed)
    i, j = np.triu_indices(units, 1)
    is_treated = rng.random(len(i)) < 0.3
    shock = rng.normal(size=(units, PERIODS))
    frame = pd.DataFrame(
        {
            "a": np.repeat(i, PERIODS),
            "b": np.repeat(j, PERIODS),
            "year": np.tile(np.arange(2000, 2000 + PERIODS), len(i)),
            "treated": np.outer(is_treated, [0.0, 0, 1, 1]).ravel(),
        }
    )
    frame["y"] = (shock[i] + shock[j]).ravel() + rng.normal(size=len(frame))
    frame["pair"] = 100 * frame["a"] + frame["b"]
    return frame


def flows(seed: int) -> pd.DataFrame:
    """Directed flows with some of a unit to itself, and a treatment that has a direction."""
    rng = np.random.default_rng(seed)
    i, j = (side.ravel() for side in np.indices((8, 8)))
    frame = pd.DataFrame({"a": i, "b": j, "d": (rng.random(64) < 0.3).astype(float)})
    frame["y"] = rng.poisson(np.exp(1 + 0.3 * rng.normal(size=8)[i] + 0.2 * frame["d"]))
    return frame


def feols(frame: pd.DataFrame) -> pf.estimation.models.feols_.Feols:
    return pf.feols("y ~ treated | pair + year", frame)


def test_exchanges_are_those_of_a_literal_loop() -> None:
    frame = panel(1)
    card = cs.audit(feols(frame), "treated", UNIT, time="year", draws=5, seed=3)
    table = {(row.a, row.b, row.year): row.treated for row in frame.itertuples()}
    rng = np.random.default_rng(3)
    for k in range(5):
        place = rng.permutation(UNITS)
        exchanged = []
        for row in frame.itertuples():
            one, two = sorted((place[row.a], place[row.b]))
            exchanged.append(table[one, two, row.year])
        errors = cs.vcov(feols(frame.assign(treated=exchanged)), UNIT)
        expected = errors.set_index("vcov")["std_error"]
        reference = "{pyfixest} on a frame whose units were exchanged by a loop"
        drawn = card.drawn.loc[k]
        agrees(
            "`cs.audit`, estimate", reference, drawn["estimate"], errors["estimate"][0], rel=1e-9
        )
        agrees("`cs.audit`, errors", reference, drawn[expected.index], expected, rel=1e-9)
    statistics = (card.drawn["estimate"] / card.drawn["dyadic"]).abs()
    observed = abs(card.estimate) / card.lines.loc["dyadic", "std_error"]
    expected = (1 + (statistics >= observed).sum()) / 6
    assert card.lines.loc["dyadic", "p_randomization"] == pytest.approx(expected)
    assert card.drawn.equals(
        cs.audit(feols(frame), "treated", UNIT, time="year", draws=5, seed=3).drawn
    )


@pytest.mark.filterwarnings("ignore:.*1 variables dropped")
def test_an_exchange_whose_treatment_effects_explain_is_blank() -> None:
    frame = panel(1, units=6)
    is_treated = (frame["a"] == 0) & (frame["b"] == 1) & (frame["year"] == 2003)
    frame = frame.assign(treated=is_treated.astype(float), x=frame["y"].iloc[::-1].to_numpy())
    # an exchange may move the treatment to this pair, which the fit does not have
    used = frame[(frame["a"] != 4) | (frame["b"] != 5)]
    blanks = []
    for formula in ("y ~ treated | pair + year", "y ~ treated + x | pair + year"):
        fit = pf.feols(formula, used)
        card = cs.audit(fit, "treated", UNIT, time="year", draws=20, data=frame)
        blanks.append(card.drawn["estimate"].isna())
    assert blanks[0].any() and blanks[0].equals(blanks[1])


def test_units_of_two_kinds_trade_places_within_theirs() -> None:
    rng = np.random.default_rng(1)
    bank, firm = (side.ravel() for side in np.indices((5, 7)))
    frame = pd.DataFrame({"a": bank, "b": 10 + firm, "d": rng.random(35) < 0.3})
    frame = frame.astype({"d": float}).assign(y=rng.normal(size=35))
    fit = pf.feols("y ~ d", frame)
    kinds = {unit: "bank" if unit < 10 else "firm" for unit in {*frame["a"], *frame["b"]}}
    with pytest.raises(cs.PanelError, match="or block= for units of two kinds"):
        cs.audit(fit, "d", UNIT, draws=1)
    card = cs.audit(fit, "d", UNIT, draws=2, block=kinds, seed=3)
    known, draw = frame["d"].to_numpy().reshape(5, 7), np.random.default_rng(3)
    for k in range(2):
        exchanged = known[draw.permutation(5)][:, draw.permutation(7)].ravel()
        again = pf.feols("y ~ d", frame.assign(d=exchanged))
        assert card.drawn.loc[k, "estimate"] == pytest.approx(again.coef()["d"])
    texts = pf.feols("y ~ d", frame.astype({"b": str}))
    with pytest.raises(cs.PanelError, match="ids of one type, found numbers and text"):
        cs.audit(texts, "d", UNIT, draws=1)


def test_poisson_is_fitted_in_full_with_directions_and_pairs_of_a_unit_with_itself() -> None:
    frame = flows(2)
    frame.loc[frame["a"] == 7, "y"] = 0  # separated: left out by every fit
    fit = pf.fepois("y ~ d | a + b", frame)
    with pytest.raises(cs.PanelError, match="every pair, such as"):
        cs.audit(fit, "d", UNIT, draws=1)
    card = cs.audit(fit, "d", UNIT, draws=3, data=frame)
    assert card.n_rows == 56
    known = np.zeros((8, 8))
    known[frame["a"], frame["b"]] = frame["d"]
    rng = np.random.default_rng(1)
    kept = frame[frame["a"] < 7]
    for k in range(3):
        place = rng.permutation(8)
        exchanged = known[place[kept["a"]], place[kept["b"]]]
        again = pf.fepois("y ~ d | a + b", kept.assign(d=exchanged))
        assert card.drawn.loc[k, "estimate"] == pytest.approx(again.coef()["d"], rel=1e-6)


def test_an_exchange_whose_fit_does_not_converge_is_refused() -> None:
    # as many iterations as the fit needs, and fewer than some exchange does
    fit = pf.fepois("y ~ d | a + b", flows(1), iwls_maxiter=5)
    assert fit.convergence
    with pytest.raises(cs.PanelError, match="a fit that has converged"):
        cs.audit(fit, "d", UNIT, draws=20)


def test_units_trade_places_within_blocks_alone() -> None:
    frame = panel(4)
    block = {unit: unit % 2 for unit in range(UNITS)}
    # every pair of one block is treated in the end, so nothing changes within blocks
    same = frame.assign(treated=1.0 * frame.eval("a % 2 == 0 and b % 2 == 0 and year > 2001"))
    with pytest.raises(cs.PanelError, match="the real treatment in every exchange"):
        cs.audit(feols(same), "treated", UNIT, time="year", block=block, draws=3)
    card = cs.audit(feols(frame), "treated", UNIT, time="year", block=block, draws=3)
    assert card.n_blocks == 2
    texts = frame.assign(a="0" + frame["a"].astype(str), b="0" + frame["b"].astype(str))
    of_texts = {f"0{unit}": of_unit for unit, of_unit in block.items()}
    again = cs.audit(feols(texts), "treated", UNIT, time="year", block=of_texts, draws=3)
    assert again.drawn.to_numpy() == pytest.approx(card.drawn.to_numpy())
    with pytest.raises(cs.PanelError, match="block of every unit"):
        cs.audit(feols(frame), "treated", UNIT, time="year", block={0: 1}, draws=3)


def test_the_unit_that_moves_the_estimate_most_is_left_out_in_full() -> None:
    frame = panel(5)
    frame.loc[(frame["b"] == 9) & (frame["treated"] > 0), "y"] += 30
    card = cs.audit(feols(frame), "treated", UNIT, time="year", draws=1)
    assert card.unit == 9
    rest = frame[(frame["a"] != 9) & (frame["b"] != 9)]
    assert card.estimate_without == pytest.approx(feols(rest).coef()["treated"], rel=1e-9)


def test_a_card_prints_shows_and_draws_itself(tmp_path) -> None:
    mpl.use("Agg")
    card = cs.audit(feols(panel(6)), "treated", UNIT, time="year", draws=19)
    assert "<table" in card._repr_html_()
    card.plot(file=tmp_path / "card.svg")
    assert "<svg" in (tmp_path / "card.svg").read_text()
    assert card.smallest_rise > 0 and card.smallest_fall > 0
    kept = (card.drawn["estimate"] + card.smallest_rise) / card.drawn["dyadic"]
    statistics = np.sort((card.drawn["estimate"] / card.drawn["dyadic"]).abs())
    assert (kept >= statistics[-1]).mean() == pytest.approx(0.8, abs=0.06)


@pytest.mark.full
def test_where_identities_are_random_it_rejects_five_per_cent() -> None:
    samples = 150
    rejected = 0
    for seed in range(samples):
        card = cs.audit(feols(panel(100 + seed)), "treated", UNIT, time="year", draws=19, seed=seed)
        rejected += card.lines.loc["dyadic", "p_randomization"] <= 0.05
    low, high = binom.interval(0.999, samples, 0.05)
    assert low <= rejected <= high
