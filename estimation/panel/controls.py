"""Controls that a two-way fit can tell from pair and year effects and from one another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .fit_sample import FitSample

# what varies by less than this share of its own size is rounding, such as distance less its mean
# over the years of a pair
ROUNDING = 1e-10
# share of its variance within pairs that year effects and earlier controls must leave of a control
LEFT = 1e-8


def drop_controls(
    sample: FitSample, names: tuple[str, ...], year_block: np.ndarray | None = None
) -> tuple[FitSample, tuple[str, ...], tuple[str, ...]]:
    """Leave out controls that are constant within the kept pairs, or that year effects and earlier
    controls explain; their rows stay as they are.

    Parameters
    ----------
    sample : FitSample
    names : tuple of str
        One for each control of the panel.
    year_block : (P,) array, optional
        Pairs with the same value share their year effects; None: all do.

    Returns
    -------
    FitSample
    tuple of str
        Names of the controls that are left.
    tuple of str
        One sentence for the dropped ones, or none.
    """
    if sample.panel.controls is None:
        return sample, names, ()
    stays = _identified(sample, year_block)
    if stays.all():
        return sample, names, ()
    gone = ", ".join(name for name, kept in zip(names, stays, strict=True) if not kept)
    panel = sample.panel.with_controls(sample.panel.controls[stays] if stays.any() else None)
    note = (
        f"Controls left out: {gone}: constant within pairs, or explained by year effects and the "
        "other controls."
    )
    return (
        replace(sample, panel=panel),
        tuple(name for name, kept in zip(names, stays, strict=True) if kept),
        (note,),
    )


def _identified(sample: FitSample, year_block: np.ndarray | None) -> np.ndarray:
    """Return whether each control adds something to pair effects, year effects and those before it;
    (K,) bool.
    """
    rows = sample.observed[sample.kept]
    rows = rows & (rows.sum(axis=1) >= 2)[:, None]
    weight = np.sqrt(
        np.ones(len(rows)) if sample.panel.weight is None else sample.panel.weight[sample.kept]
    )[:, None]
    block = np.zeros(len(rows)) if year_block is None else year_block[sample.kept]
    stays = np.zeros(len(sample.panel.controls), dtype=bool)
    basis: list[np.ndarray] = []
    for k, control in enumerate(sample.panel.controls[:, sample.kept]):
        values = np.where(rows, control, 0.0)
        size = np.abs(values).max(initial=0.0)
        # by its own size first, so that no square overflows or vanishes
        values = values / size if size > 0 else values
        within = less_pair_means(values, rows)
        rest = less_effects(within, rows, block, weight[:, 0] ** 2) * weight
        variance = ((within * weight) ** 2).sum()
        for _ in range(2):
            for direction in basis:
                rest = rest - (direction * rest).sum() * direction
        left = (rest**2).sum()
        floor = ROUNDING**2 * ((values * weight) ** 2).sum()
        if left > max(LEFT * variance, floor):
            stays[k] = True
            basis.append(rest / np.sqrt(left))
    return stays


def less_pair_means(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return values (P, T) less their means by pair; zero outside the rows."""
    filled, count = np.where(rows, values, 0.0), np.maximum(rows.sum(axis=1, keepdims=True), 1)
    return np.where(rows, filled - filled.sum(axis=1, keepdims=True) / count, 0.0)


def less_effects(
    within: np.ndarray, rows: np.ndarray, block: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """Deviations from pair means (P, T) less what pair and year effects of each block explain."""
    result, count = np.empty_like(within), np.maximum(rows.sum(axis=1, keepdims=True), 1)
    for name in np.unique(block):
        members = block == name
        seen, w = rows[members].astype(np.float64), weight[members]
        # sum over pairs of the projection that takes a pair's mean out
        normal = np.diag((seen * w[:, None]).sum(axis=0)) - np.einsum(
            "ps,pt,p->st", seen, seen, w / count[members, 0]
        )
        right = (within[members] * w[:, None]).sum(axis=0)
        effects = np.linalg.lstsq(normal, right, rcond=1e-10)[0]
        fitted = seen * effects
        fitted -= seen * fitted.sum(axis=1, keepdims=True) / count[members]
        result[members] = within[members] - fitted
    return result
