"""Treatment that stays: a dummy that switches off again is refused (docs/methods, section 5)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..analyses.spec import SampleError


class NotAbsorbingError(SampleError):
    """A treatment dummy that switches off again."""


def require_absorbing(treatment: pd.DataFrame) -> None:
    """Refuse a treatment dummy that switches off.

    Parameters
    ----------
    treatment : DataFrame
        city_i_id, city_j_id, year, is_treated (0/1 or boolean).

    Raises
    ------
    NotAbsorbingError
        Naming the first pair whose dummy goes back from 1 to 0.
    """
    ordered = treatment.sort_values(
        ["city_i_id", "city_j_id", "year"], kind="stable", ignore_index=True
    )
    dummy = ordered["is_treated"].to_numpy(dtype=float)
    same_pair = (
        ordered[["city_i_id", "city_j_id"]].to_numpy()[1:]
        == ordered[["city_i_id", "city_j_id"]].to_numpy()[:-1]
    ).all(axis=1)
    off = np.flatnonzero(same_pair & (dummy[1:] < dummy[:-1]))
    if off.size:
        row = ordered.iloc[off[0] + 1]
        raise NotAbsorbingError(
            f"is_treated of the pair {row['city_i_id']:.0f}-{row['city_j_id']:.0f} is 1 before "
            f"{row['year']:.0f} and 0 in it, expected "
            "a treatment that stays. A dummy 'exactly one of the two is a pilot now' is not "
            "absorbing: it switches off when the second "
            "city is admitted. Fix exposure over the window (none, one, both), leave pairs of two "
            "pilots out and give the pilot's year as "
            "cohort_year"
        )
