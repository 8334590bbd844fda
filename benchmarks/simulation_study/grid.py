"""The cells of the study: which economies, how many draws, which estimators and lines."""

from __future__ import annotations

from dataclasses import dataclass, replace

from benchmarks.simulation_study.economies import Setting

LINES = ("conventional", "dyadic", "city", "province_jackknife")
SIZES = (60, 254)
PERMUTATIONS = 499
# Additive effects on `cm` for which power is read off the draws without effect: adding one to every
# treated pair-year moves the estimate by exactly as much and leaves every standard error as it is.
EFFECTS = (0.1, 0.2)


@dataclass(frozen=True)
class Cell:
    """One setting with its draws.

    Attributes
    ----------
    setting : Setting
    estimator : str
    n_draws, permutations : int
        Economies, and permutation draws on each (two-way fits alone; 0: the line is left out).
    """

    setting: Setting
    estimator: str
    n_draws: int
    permutations: int = 0

    @property
    def name(self) -> str:
        """File name of the cell's results."""
        return f"{self.setting.name}_{self.setting.n_cities}_{self.estimator}"


KINDS = (
    Setting("independent", "independent city shocks", 0),
    Setting("province", "30 % of a city's variance shared in its province", 0, province_share=0.3),
    Setting(
        "whole_provinces",
        "the same, pilots in whole provinces",
        0,
        province_share=0.3,
        layout="whole_provinces",
    ),
    Setting(
        "loadings", "pilots load 1.0 on the national factor, others 0.3", 0, loadings=(1.0, 0.3)
    ),
    Setting("serial", "shocks with autocorrelation 0.5", 0, persistence=0.5),
    Setting("fat_tails", "t shocks with 3 degrees of freedom", 0, degrees_of_freedom=3.0),
    Setting(
        "cohort_of_one",
        "a first cohort of one pilot (2015)",
        0,
        cohorts=((2015, 0.0), (2016, 0.4), (2019, 0.6)),
    ),
    Setting("few_pilots", "6 pilots", 0, n_pilots=6),
    Setting(
        "convergence",
        "admission ties a fifth of a pilot's variance to the nation",
        0,
        province_share=0.3,
        convergence=0.2,
    ),
)
# on balanced panels without covariates the others have the overall effect of one of these
# (docs/methods, section 6)
ROBUST = ("event_study", "callaway_santanna", "borusyak")


def cells() -> list[Cell]:
    """All cells, the cheap ones first."""
    found = []
    for n_cities in SIZES:
        settings = [replace(kind, n_cities=n_cities) for kind in KINDS]
        found += [Cell(s, "twfe", 4000, PERMUTATIONS) for s in settings]
        found += [Cell(s, name, 1000) for name in ROBUST for s in settings if s.name == "province"]
        # an event study has no overall effect to cover
        found += [
            Cell(s, name, 1000) for name in ROBUST[1:] for s in settings if s.name == "convergence"
        ]
    return found
