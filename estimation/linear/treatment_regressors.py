"""Treatment regressors of an estimator by cohort group and year."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..results import NotEstimable


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
        """Positions of the coefficients before admission."""
        return np.array(
            [k for k, e in enumerate(self.event_times) if e is not None and e < 0], dtype=np.int64
        )


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


def event_study_design(
    group_years: np.ndarray,
    years: np.ndarray,
    reference: int = -1,
    binning: tuple[int, int] | None = None,
) -> Design:
    """Leads and lags of admission, one event time omitted, ends binned only if asked.

    Parameters
    ----------
    group_years : (G,) int array
    years : (T,) int array
    reference : int
        The event time that is omitted.
    binning : (int, int), optional
        First and last event time; those beyond are counted to them.

    Returns
    -------
    Design
        One coefficient for every event time some cohort reaches in these years.

    Raises
    ------
    NotEstimable
        If no cohort reaches the reference, or it lies outside the bins.
    """
    event_time = years[None, :] - group_years[:, None]
    if binning is not None:
        event_time = np.clip(event_time, *binning)
    reached = np.unique(event_time)
    # without a cohort in the year before admission the event study is refused with its reason, by
    # the estimator
    if reference != -1 and reference not in reached:
        text = f"event_study: no cohort is observed {reference} from its first treated year"
        raise NotEstimable(f"{text}: choose a reference from {', '.join(map(str, reached))}")
    found = tuple(int(e) for e in reached if e != reference)
    x = np.zeros((len(group_years) + 1, len(years), len(found)))
    for k, e in enumerate(found):
        x[1:, :, k] = event_time == e
    return Design("event_study", "event", found, x)


DESIGNS = {"twfe": twfe_design, "event_study": event_study_design}
