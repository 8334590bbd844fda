"""How synchronization changed: by the pilots' own variance, or by their loading on the national
cycle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .city_panel import CityPanel
from .contrast import Contrast, two_way
from .interval import Tested, interval_and_p
from .measure import cycle, net_of_blocks, own_shock
from .permutation import Draws, draw_statistics


@dataclass(frozen=True, kw_only=True)
class Channel(Tested):
    """One channel, estimated against peers of the block; figures as of `Tested`.

    Attributes
    ----------
    channel : str
        ``own_variance``: relative change of the variance of idiosyncratic shocks, -0.6 = 60 % less.
        ``loading``: change of the loading on the cycle of never-treated cities, whose mean loading
        is 1.
    """

    channel: str


def estimate_channels(
    panel: CityPanel, z: np.ndarray, m: np.ndarray, contrast: Contrast, permuted: np.ndarray
) -> tuple[Channel, ...]:
    """Return both channels under the draws of the primary test, without one that does not vary;
    parameters as of `channel_draws`.
    """
    both = channel_draws(panel, z, m, contrast, permuted).items()
    found = [
        Channel(channel=name, **vars(interval_and_p(*of_channel)[0])) for name, of_channel in both
    ]
    return tuple(one for one in found if one.estimate is not None)


def channel_draws(
    panel: CityPanel, z: np.ndarray, m: np.ndarray, contrast: Contrast, permuted: np.ndarray
) -> dict[str, tuple[Draws, Callable[[float | None], float | None]]]:
    """Return coefficients and errors of both channels, by name, each with the function that takes
    an additive effect on the channel's measure to the units of `Channel`; None where there is no
    such change.

    Own variance: the contrast of the primary test on the absolute own shock, u of z on (1, m) in
    all years; the mean of pilots after admission over what it would have been, squared. A spread
    of loadings after admission counts as own variance. Loading: z on the cycle of never-treated
    cities, blind to loadings that differ in all years; its error comes from the years.

    Parameters
    ----------
    panel : CityPanel
    z, m : (N, T) float arrays
    contrast : Contrast
        Of pilot x post.
    permuted : (J, N) int array
    """
    shock = np.abs(own_shock(z, m))
    treated = panel.treated[panel.label]
    after = float((contrast.weight[panel.block, panel.label] * treated * shock).sum())

    def relative(effect: float | None) -> float | None:
        without = 0.0 if effect is None else after - effect
        return (after / without) ** 2 - 1 if without > 0 else None

    own = draw_statistics(shock, contrast, panel.label, panel.block, permuted)
    loading = loading_draws(panel, z, m, permuted)
    both = {"own_variance": (own, relative), "loading": (loading, lambda effect: effect)}
    return {name: of_channel for name, of_channel in both.items() if of_channel[0].varies}


def loading_draws(panel: CityPanel, z: np.ndarray, m: np.ndarray, permuted: np.ndarray) -> Draws:
    """Return the change of the loading under every draw, over its error from the years.

    The error is the scatter over years of the mean over pilots of z less the mean of the block, net
    of a level, a loading and a change of loading: whatever national factors pilots load on more
    than their peers is in it in every year, which errors across cities of one history do not hold
    (docs/methods, section 18.5).
    """
    firsts = np.unique(panel.block, return_index=True)[1]
    wave, pilots = cycle(m, panel.years), panel.label > 0
    of_block = wave[firsts]
    response = panel.treated[None] * of_block[:, None, :]
    contrast = two_way(panel, response, np.stack([np.ones_like(of_block), of_block], axis=2))
    draws = draw_statistics(z, contrast, panel.label, panel.block, permuted)
    added = response[panel.block, panel.label]
    levels = [np.ones(len(panel.years)), *(x[pilots].mean(axis=0) for x in (wave, added))]
    left = np.linalg.qr(np.column_stack(levels), mode="complete")[0]
    rest = left[:, len(levels) :] / np.sqrt(len(panel.years) - len(levels))
    is_pilot = pilots[permuted] / pilots.sum()
    scatter = []
    for values in (z, added):
        net = net_of_blocks(values, panel.block)
        scatter.append(np.einsum("jn,nk->jk", is_pilot, np.einsum("nt,tk->nk", net, rest)))
    ours, real = scatter
    error = [(ours**2).sum(axis=1), -2 * (ours * real).sum(axis=1), (real**2).sum(axis=1)]
    return Draws(draws.estimate, draws.carried, np.stack(error, axis=1), draws.varies)
