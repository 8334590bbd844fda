"""How synchronization changed: by the pilots' own variance, or by their loading on the national
cycle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .contrast import LOADING, OWN_VARIANCE
from .interval import Standardised, invert
from .scores import cycle, own_shock, slope


@dataclass(frozen=True)
class Channel:
    """One channel, estimated against peers of the block.

    Attributes
    ----------
    channel : str
        ``own_variance``: relative change of the variance of own shocks, -0.6 = 60 % less.
        ``loading``: change of the loading on the cycle of never-pilots, whose mean loading is 1.
    estimate, ci_low, ci_high, p_value : float
    """

    channel: str
    estimate: float
    ci_low: float
    ci_high: float
    p_value: float


@dataclass(frozen=True)
class ImpliedCorrelation:
    """Correlation of pilots with never-pilots that the channels imply.

    Attributes
    ----------
    before, after : float
    """

    before: float
    after: float


def estimate_channels(ready: Standardised) -> tuple[Channel, Channel]:
    """Both channels by the inversion of their own tests.

    Own variance: minus the absolute own shock. A change of loading, too, changes what is left of a
    city after its average loading, so this channel moves a little when loadings do. Loading: z on
    the cycle of never-pilots (detrended), blind to loadings that differ in all years. What several
    national factors do to pilots of another kind looks like a change of loading;
    docs/evidence/primary-test.md says how often.
    """
    own, loading = invert(ready, OWN_VARIANCE), invert(ready, LOADING)
    low, middle, high = (
        float(np.exp(-2 * effect) - 1) for effect in (own.high, own.estimate, own.low)
    )
    return (
        Channel(OWN_VARIANCE.name, middle, low, high, own.p_value),
        Channel(LOADING.name, loading.estimate, loading.low, loading.high, loading.p_value),
    )


def imply_correlation(
    ready: Standardised, own_variance: float, loading: float
) -> ImpliedCorrelation:
    """Mean correlation with never-pilots of the pilots that have peers, before admission and with
    both channels' changes.

    z_i = l_i m + u_i with l_i and var(u_i) from untreated years and var(m) of the window; after
    admission var(u_i) (1 + own_variance), and `loading` times the cycle added. The correlation with
    m times the mean correlation of never-pilots with m is the correlation with a never-pilot.

    Parameters
    ----------
    ready : Standardised
    own_variance, loading : float
        The channels' estimates.

    Returns
    -------
    ImpliedCorrelation
    """
    panel, z, m = ready.panel, ready.z, ready.m
    wave = cycle(m, panel.years)
    others = np.mean([np.corrcoef(z[j], m[j])[0, 1] for j in np.flatnonzero(panel.label == 0)])
    before, after = [], []
    for i in np.flatnonzero(panel.movable):
        untreated = panel.treated[panel.label[i]] == 0
        load = slope(z[i : i + 1], m[i : i + 1], untreated)[0]
        shocks = own_shock(z[i : i + 1], m[i : i + 1], untreated)[0, untreated]
        own = float((shocks**2).sum()) / max(len(shocks) - 2, 1)
        national, waves = float(m[i].var()), float(wave[i].var())
        for found, change, factor in ((before, 0.0, 1.0), (after, loading, 1 + own_variance)):
            shared = load * national + change * waves
            total = (
                load**2 * national + 2 * load * change * waves + change**2 * waves + own * factor
            )
            found.append(shared / np.sqrt(total * national))
    return ImpliedCorrelation(float(np.mean(before) * others), float(np.mean(after) * others))
