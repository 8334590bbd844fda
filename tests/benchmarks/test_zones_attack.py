"""What `cs.data.zones` gives away, measured on a small economy."""

import numpy as np

from benchmarks.zones_attack import attacked
from estimation.primary.city_panel import build_panel
from tests.estimation.primary.economies import draw_panel


def test_numbers_by_city_give_growth_away_and_stand_ins_hardly():
    panel = build_panel(*draw_panel(7))
    known = np.tile(np.isin(panel.years, (2010, 2019)), (len(panel.growth), 1))
    of_stand_ins, by_city = attacked(panel, known, draws=8, years="the ends")
    assert by_city["median_miss"] < 0.9 * by_city["median_miss_without"]
    assert not by_city["passes"]
    assert by_city["median_miss"] < of_stand_ins["median_miss"]
