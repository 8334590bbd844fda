"""How synchronization changed: by the pilots' own variance, or by their loading on the national
cycle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .city_panel import CityPanel
from .contrast import Contrast, two_way
from .interval import Tested, judge
from .measure import cycle, own_shock
from .redeal import Draws, block_means, draw_statistics

# A direction of the regressors below this share of the largest is rounding: the years do not tell
# it from the others.
SMALLEST_DIRECTION = 1e-9


@dataclass(frozen=True, kw_only=True)
class Channel(Tested):
    """One channel, estimated against peers of the block; figures as of `Tested`.

    Attributes
    ----------
    channel : str
        ``own_variance``: relative change of the variance of own shocks, -0.6 = 60 % less.
        ``loading``: change of the loading on the cycle of never-pilots, whose mean loading is 1.
    """

    channel: str


@dataclass(frozen=True)
class ChannelDraws:
    """A channel under every draw.

    Attributes
    ----------
    channel : str
    draws : Draws
    in_units : callable
        From an additive effect on the channel's measure to the units of `Channel`; None where
        there is no such change.
    """

    channel: str
    draws: Draws
    in_units: Callable[[float | None], float | None]


def estimate_channels(
    panel: CityPanel, z: np.ndarray, m: np.ndarray, contrast: Contrast, dealt: np.ndarray
) -> tuple[Channel, ...]:
    """Both channels under the draws of the primary test; parameters as of `channel_draws`.

    Returns
    -------
    tuple of Channel
        Without one that does not vary.
    """
    judged = {
        one.channel: judge(one.draws, one.in_units)[0]
        for one in channel_draws(panel, z, m, contrast, dealt)
    }
    return tuple(
        Channel(channel=name, **vars(found))
        for name, found in judged.items()
        if found.estimate is not None
    )


def channel_draws(
    panel: CityPanel, z: np.ndarray, m: np.ndarray, contrast: Contrast, dealt: np.ndarray
) -> list[ChannelDraws]:
    """Coefficients and errors of both channels.

    Own variance: the contrast of the primary test on the absolute own shock, u of z on (1, m) in
    all years; the mean of pilots after admission over what it would have been, squared. A spread
    of loadings after admission counts as own variance. Loading: z on the cycle of never-pilots,
    blind to loadings that differ in all years; its error comes from the years.

    Parameters
    ----------
    panel : CityPanel
    z, m : (N, T) float arrays
    contrast : Contrast
        Of pilot x post.
    dealt : (J, N) int array
    """
    shock = np.abs(own_shock(z, m))
    treated = panel.treated[panel.label]
    after = float((contrast.weight[panel.block, panel.label] * treated * shock).sum())

    def relative(effect: float | None) -> float | None:
        without = 0.0 if effect is None else after - effect
        return (after / without) ** 2 - 1 if without > 0 else None

    own = draw_statistics(shock, contrast, panel.label, panel.block, dealt)
    loading = loading_draws(panel, z, m, dealt)
    both = [ChannelDraws("own_variance", own, relative)]
    both += [] if loading is None else [ChannelDraws("loading", loading, lambda effect: effect)]
    return [one for one in both if one.draws.varies]


def loading_draws(
    panel: CityPanel, z: np.ndarray, m: np.ndarray, dealt: np.ndarray
) -> Draws | None:
    """The change of the loading under every draw, over its error from the years.

    The error is the scatter over years of the mean over pilots of z less the mean of the block, net
    of a level, a loading and a change of loading: whatever national factors pilots load on more
    than their peers is in it in every year, which errors across cities of one history do not hold
    (docs/methods, section 18.5).
    """
    firsts = np.unique(panel.block, return_index=True)[1]
    wave = cycle(m, panel.years)
    of_block = wave[firsts]
    response = panel.treated[None] * of_block[:, None, :]
    blind = np.stack([np.ones_like(of_block), of_block], axis=2)
    contrast = two_way(panel, response, blind)
    if contrast is None:
        return None
    draws = draw_statistics(z, contrast, panel.label, panel.block, dealt)
    pilots = panel.label > 0
    levels = np.column_stack(
        [
            np.ones(len(panel.years)),
            wave[pilots].mean(axis=0),
            response[panel.block, panel.label][pilots].mean(axis=0),
        ]
    )
    left, sizes, _ = np.linalg.svd(levels)
    rank = int((sizes > SMALLEST_DIRECTION * sizes[0]).sum())
    rest = left[:, rank:] / np.sqrt(len(panel.years) - rank)
    is_pilot = pilots[dealt].astype(float)
    scatter = []
    for values in (z, response[panel.block, panel.label]):
        net = values - block_means(values, panel.block)[panel.block]
        scatter.append(
            np.einsum("jn,nk->jk", is_pilot, np.einsum("nt,tk->nk", net, rest)) / pilots.sum()
        )
    ours, real = scatter
    error = [(ours**2).sum(axis=1), -2 * (ours * real).sum(axis=1), (real**2).sum(axis=1)]
    return Draws(draws.estimate, draws.carried, np.stack(error, axis=1), draws.varies)
