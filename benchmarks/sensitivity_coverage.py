"""Coverage of the sensitivity sets where the covariance is estimated; prints the table of
docs/evidence/sensitivity-coverage.md.

    .venv/bin/python -m benchmarks.sensitivity_coverage

Coefficients are normal with equal correlation 1/3, their covariance is estimated with R - 1 degrees
of freedom, the effect is zero, and the trend is the worst that the bound allows for the weights of
the knot that would be best if the covariance were known.
"""

from __future__ import annotations

import numpy as np

from estimation.inference.honest_did.relative_magnitudes import holds_zero
from estimation.inference.honest_did.smoothness import folded_normal_quantile, smoothness_path

DESIGNS = ((8, 31), (5, 31), (5, 12))
# in standard errors of the effect a year, and in largest changes before admission
SMOOTHNESS_BOUNDS = (0.0, 0.1, 0.3, 2.0)
RELATIVE_BOUNDS = (0.0, 1.0)
# the largest change before admission, in standard errors of the effect: far from the kink at zero
LARGEST_CHANGE = 6.0
DRAWS = 2000
KNOWN = float("inf")


def worst_smooth_trend(covariance: np.ndarray, bound: float) -> np.ndarray:
    """Leads and first effect (L + 1,) of the trend that biases the best weights most; its slope
    changes by at most `bound`.
    """
    n_leads = len(covariance) - 1
    path = smoothness_path(np.zeros(n_leads + 1), covariance)
    half_lengths = [_half_length(path, knot, bound) for knot in range(len(path.bias))]
    changes = np.concatenate([[1.0], path.changes[int(np.argmin(half_lengths))]])
    bends = bound * np.sign(changes)
    years = np.arange(1, n_leads + 1)
    leads = [sum((s - k) * bends[k] for k in range(min(s, n_leads))) for s in years]
    return np.append(leads[::-1], 0.0)


def _half_length(path, knot: int, bound: float) -> float:
    error = (
        float(np.einsum("a,ab,b->", path.weights[knot], path.covariance, path.weights[knot])) ** 0.5
    )
    return error * float(folded_normal_quantile(np.array([bound * path.bias[knot] / error]))[0])


def relative_trend(n_leads: int, error: float, bound: float) -> np.ndarray:
    """Leads and first effect (L + 1,) of a trend with one change before admission and `bound` times
    as large a one after.
    """
    leads = np.where(np.arange(n_leads) <= n_leads // 2, -LARGEST_CHANGE, 0.0)
    return error * np.append(leads, bound * LARGEST_CHANGE)


def coverage(
    restriction: str, n_leads: int, n_provinces: int, bound: float, draws: int = DRAWS
) -> tuple[float, float]:
    """Share of sets that hold the effect, in per cent: with the paper's quantiles, and with those
    for an estimated covariance.
    """
    generator = np.random.default_rng([n_leads, n_provinces, round(10 * bound)])
    covariance, df = (np.eye(n_leads + 1) + 0.5) / 30, n_provinces - 1
    error = float(covariance[-1, -1]) ** 0.5
    smooth = restriction == "smoothness"
    trend = (
        worst_smooth_trend(covariance, bound * error)
        if smooth
        else relative_trend(n_leads, error, bound)
    )
    held = np.zeros(2)
    for theta in generator.multivariate_normal(trend, covariance, size=draws):
        sample = generator.multivariate_normal(np.zeros(n_leads + 1), covariance, size=df)
        estimated = np.einsum("ra,rb->ab", sample, sample) / df
        for column, given in enumerate((KNOWN, df)):
            if smooth:
                low, high = smoothness_path(theta, estimated).interval(bound * error, given)
                held[column] += low <= 0 <= high
            else:
                held[column] += holds_zero(theta, estimated, given, bound)
    return tuple(100 * held / draws)


def main() -> None:
    print("| leads | provinces | set | paper's quantiles | as published here |")
    print("| --- | --- | --- | --- | --- |")
    for n_leads, n_provinces in DESIGNS:
        for restriction, name, bounds in (
            ("smoothness", "smoothness, M in standard errors", SMOOTHNESS_BOUNDS),
            ("relative_magnitudes", "relative magnitudes, Mbar", RELATIVE_BOUNDS),
        ):
            found = np.array(
                [coverage(restriction, n_leads, n_provinces, bound) for bound in bounds]
            )
            cells = (" / ".join(f"{value:.1f}" for value in column) for column in found.T)
            print(
                (
                    f"| {n_leads} | {n_provinces} | {name} {' / '.join(f'{b:g}' for b in bounds)} "
                    "| "
                    f"{' | '.join(cells)} |"
                ),
                flush=True,
            )


if __name__ == "__main__":
    main()
