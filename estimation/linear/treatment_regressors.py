"""Treatment regressors of an estimator by cohort group and year."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Design:
    """Regressors that depend on a pair only through its cohort group.

    Attributes
    ----------
    estimator : str
    term : str
        Name of the coefficients: ``treated`` or ``event``.
    event_times : tuple of int or None, length L
        Event time of each coefficient; (None,) for one coefficient.
    x : (G + 1, T, L) float array
        Value of each regressor for a pair of group g in year t; group 0 is never treated.
    """

    estimator: str
    term: str
    event_times: tuple[int | None, ...]
    x: np.ndarray

    @property
    def labels(self) -> list[str]:
        """One text per coefficient, for diagnostics and messages."""
        return [self.term if e is None else f"{self.term}[{e}]" for e in self.event_times]

    @property
    def leads(self) -> np.ndarray:
        """Positions of the coefficients before the base period."""
        return np.array([k for k, e in enumerate(self.event_times) if e is not None and e < -1], dtype=np.int64)


def twfe_design(group_years: np.ndarray, years: np.ndarray) -> Design:
    """One coefficient: the pair is treated from its cohort year on.

    Parameters
    ----------
    group_years : (G,) int array
    years : (T,) int array

    Returns
    -------
    Design
        x has shape (G + 1, T, 1).
    """
    treated = np.zeros((len(group_years) + 1, len(years), 1))
    treated[1:, :, 0] = years[None, :] >= group_years[:, None]
    return Design("twfe", "treated", (None,), treated)


def event_study_design(group_years: np.ndarray, years: np.ndarray) -> Design:
    """Leads and lags of admission, the year before it omitted, ends not binned.

    Parameters
    ----------
    group_years : (G,) int array
    years : (T,) int array

    Returns
    -------
    Design
        One coefficient for every event time some cohort reaches in these years.
    """
    event_time = years[None, :] - group_years[:, None]
    found = tuple(int(e) for e in np.unique(event_time) if e != -1)
    x = np.zeros((len(group_years) + 1, len(years), len(found)))
    for k, e in enumerate(found):
        x[1:, :, k] = event_time == e
    return Design("event_study", "event", found, x)


DESIGNS = {"twfe": twfe_design, "event_study": event_study_design}
