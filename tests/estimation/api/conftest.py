"""The panels that most tests of the library fit, made once; nobody changes them."""

import numpy as np
import pandas as pd
import pytest

from .panels import COLUMNS, country_panel


@pytest.fixture(scope="session")
def frame():
    return country_panel()[0]


@pytest.fixture(scope="session")
def given():
    """What is given beside the frame: its columns, cohorts, blocks, and no draws."""
    _, _, cohorts, blocks = country_panel()
    return {**COLUMNS, "cohort": cohorts, "block": blocks, "permutations": 0}


@pytest.fixture(scope="session")
def drawn(given):
    """The same with draws."""
    return given | {"permutations": 99}


@pytest.fixture(scope="session")
def flows():
    """Directed flows of 12 units with themselves and one another in 4 years, blanks among them."""
    rng = np.random.default_rng(5)
    index = pd.MultiIndex.from_product([range(12), range(12), range(4)], names=["a", "b", "year"])
    frame = index.to_frame(index=False)
    a, b = frame.a, frame.b
    shocks = rng.normal(size=(3, 12, 4))
    unit = shocks[:, a, frame.year] + shocks[:, b, frame.year]
    x, z, e = rng.normal(size=(3, len(frame))) + unit
    flow = rng.poisson(np.exp(0.2 * x + 0.3 * e))
    values = {"pair": np.minimum(a, b) * 12 + np.maximum(a, b), "x": x, "z": z, "e": e}
    values |= {"y": 0.3 * x + e, "flow": flow, "w": rng.uniform(1, 2, len(frame))}
    frame = frame.assign(**values, any=(flow > 0).astype(int))
    frame.loc[rng.random(len(frame)) < 0.05, "x"] = np.nan
    return frame.sample(frac=1, random_state=1).reset_index(drop=True)
