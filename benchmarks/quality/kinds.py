"""The kinds of defects: which maker changes cells, where, how often, and what is asked of rules."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.quality.makers import (
    Maker,
    ToTheEnd,
    WholeTable,
    a_seventh_more,
    as_fraction,
    as_index,
    as_index_of,
    leading_digit,
    make_cell,
    make_city_mixup,
    make_codes_shift,
    make_column_shift,
    make_dropped_block,
    make_duplicated_block,
    make_fraction_province,
    make_interpolated,
    make_province_figure,
    make_province_quantity,
    make_province_unit,
    make_provinces_exchanged,
    make_revision,
    make_row_shift,
    make_run_returns,
    make_series_end,
    make_stale,
    make_stale_year,
    make_swap,
    make_swap_of_rates,
    make_table_unit,
    make_year_offset,
    make_years,
    move,
    moved_points,
    negated,
    of_five_years,
    of_last_year,
    of_next_year,
    one_cell,
    power,
    significant,
    to_be_set,
    without_sign,
)


@dataclass(frozen=True)
class Kind:
    """A kind of defect.

    Attributes
    ----------
    name : word of the table.
    make : draws a place and changes its cells.
    per_run : events in one run, by indicator family `level`, `growth` or `kind` (indicators without
    thresholds of their own).
    is_defect : False for what must not be blocked.
    everywhere : every source shows it (an official break), not the one that was drawn alone.
    with_parts : what is computed from it (sectors, product per head, ratios) is restated with it,
    as a statistical office does.
    damage : what happens to the cells beside their value: `columns` (the other column of the row
    gets the old value), `place` (the name
        becomes unreadable), `drop` (the cells are not delivered), `codes` (every cell of the row
        stands under another city), `nominal` (growth of the partner column, at current prices).
    group : kinds too large to stand beside other events get runs of their own, those of one group
    together.
    goal : what the project asks for, by number of sources: (grade, share), `blocked` or `flagged`
    (blocked or quarantined).
    """

    name: str
    make: Maker
    per_run: dict[str, int]
    is_defect: bool = True
    everywhere: bool = False
    with_parts: bool = False
    damage: str = ""
    group: str = ""
    goal: dict[str, tuple[str, float]] | None = None


_BOTH = {"two": ("blocked", 0.95), "one": ("blocked", 0.95)}
_TWO = {"two": ("blocked", 0.95)}
_TWO_FLAG = {"two": ("flagged", 0.90)}
KINDS = (
    Kind("unit_factor", one_cell(power(-4, 4)), {"level": 7}, goal=_BOTH),
    Kind("decimal_slip", one_cell(power(-1, 1)), {"level": 7, "growth": 6}, goal=_BOTH),
    Kind("zero", one_cell(lambda v, view, rng: 0.0), {"level": 5}, goal=_BOTH),
    Kind("sign", one_cell(negated), {"level": 5, "growth": 6}, goal=_BOTH),
    Kind("leading_digit", one_cell(leading_digit), {"level": 7}, goal=_TWO),
    Kind("spike_25_40", one_cell(move(0.25, 0.40, in_logs=True)), {"level": 7}, goal=_TWO),
    Kind("spike_40_70", one_cell(move(0.40, 0.70, in_logs=True)), {"level": 7}, goal=_BOTH),
    Kind("slip_2_10", one_cell(move(0.02, 0.10, in_logs=False)), {"level": 7}, goal=_TWO_FLAG),
    Kind("stale", make_stale, {"level": 7}, goal=_TWO_FLAG),
    Kind(
        "row_shift",
        make_row_shift,
        {"level": 4, "growth": 3},
        goal={"two": ("blocked", 0.95), "one": ("blocked", 0.90)},
    ),
    Kind("swap_cities", make_swap, {"level": 5}, goal=_TWO),
    Kind("year_offset", make_year_offset, {"level": 4}, goal={"two": ("blocked", 0.85)}),
    Kind("duplicated_block", make_duplicated_block, {"level": 4}),
    Kind("city_mixup", make_city_mixup, {"level": 2}, goal=_TWO),
    Kind("series_end", make_series_end, {"level": 7}, goal=_TWO_FLAG),
    Kind(
        "scope_change",
        ToTheEnd(lambda rng: rng.uniform(0.35, 0.75)),
        {"level": 4},
        goal=_TWO_FLAG,
    ),
    Kind(
        "unit_persists",
        ToTheEnd(lambda rng: float(rng.choice([1e-4, 0.01, 0.1, 10, 100, 1e4]))),
        {"level": 3},
    ),
    Kind("province_unit", make_province_unit, {"level": 1}, goal=_BOTH),
    Kind("stale_province", make_stale_year, {"level": 1}, goal=_TWO_FLAG),
    Kind("swap_columns", make_cell, {"level": 4}, damage="columns", goal=_TWO),
    Kind("encoding", make_years, {"level": 2, "growth": 2}, damage="place"),
    Kind("revision", make_revision, {"level": 6}, is_defect=False, with_parts=True),
    # a level falls or rises once, in every source, as after an audit or a change of borders
    Kind(
        "level_break",
        ToTheEnd(lambda rng: float(rng.choice([rng.uniform(0.6, 0.85), rng.uniform(1.15, 1.45)]))),
        {"level": 6},
        is_defect=False,
        everywhere=True,
        with_parts=True,
    ),
    Kind("dropped_block", make_dropped_block, {"level": 3}, damage="drop", group="dropped_block"),
    Kind("province_quantity", make_province_quantity, {"level": 2}, goal=_TWO),
    Kind("run_returns", make_run_returns, {"level": 6}, goal=_TWO),
    Kind("column_shift", make_column_shift, {"level": 2}, group="column_shift", goal=_TWO),
    Kind(
        "codes_shift",
        make_codes_shift,
        {"level": 1},
        damage="codes",
        group="codes_shift",
        goal=_TWO,
    ),
    Kind(
        "unit_10000",
        one_cell(lambda v, view, rng: significant(v * float(rng.choice([1e-4, 1e4])))),
        {"kind": 6},
        goal=_BOTH,
    ),
    Kind("table_unit", make_table_unit, {"level": 3}, group="table_unit", goal=_BOTH),
    Kind(
        "index_for_growth",
        one_cell(as_index),
        {"growth": 8},
        goal={"two": ("blocked", 0.99), "one": ("blocked", 0.99)},
    ),
    Kind("fraction_province", make_fraction_province, {"growth": 2}),
    Kind("interpolated", make_interpolated, {"level": 4}, goal=_TWO_FLAG),
    Kind("provinces_exchanged", make_provinces_exchanged, {"level": 1, "growth": 1}, goal=_TWO),
    Kind("table_late", WholeTable(of_last_year), {"level": 2}, group="table_years", goal=_TWO),
    Kind("table_early", WholeTable(of_next_year), {"level": 1}, group="table_years", goal=_TWO),
    Kind("rate_moved", one_cell(moved_points), {"growth": 6}, goal=_TWO_FLAG),
    Kind("rate_swap", make_swap_of_rates, {"growth": 4}, goal=_TWO_FLAG),
    Kind("rate_late_years", make_year_offset, {"growth": 3}, goal=_TWO_FLAG),
    Kind("rate_of_province", make_province_figure, {"growth": 1}, goal=_TWO_FLAG),
    *(
        Kind(name, make, {"growth": 1}, damage=damage, group="rate_tables", goal=_TWO)
        for name, make, damage in (
            ("rates_late", WholeTable(of_last_year), ""),
            ("rates_early", WholeTable(of_next_year), ""),
            ("rates_row_off", make_column_shift, ""),
            ("rates_nominal", WholeTable(to_be_set), "nominal"),
            ("rates_index", WholeTable(as_index_of), ""),
            ("rates_fraction", WholeTable(as_fraction), ""),
            ("rates_without_sign", WholeTable(without_sign, least=10), ""),
            ("rates_of_five_years", WholeTable(of_five_years), ""),
            ("rates_a_seventh_more", WholeTable(a_seventh_more), ""),
        )
    ),
)
