"""The layout model: what is said when a layout is wrong, its schema for editors, and that the
shipped ones hold under it and speak the seeds' language.
"""

import re

import pandas as pd
import pytest

from tests.warehouse.ingest.delivered import LAYOUT_YAML, YEARS_YAML
from warehouse.ingest.errors import LayoutError
from warehouse.ingest.layouts import SCHEMA_FILE, build_schema, load_layouts, parse_layout
from warehouse.ingest.place_names import SEEDS

NO_INDICATOR = YEARS_YAML[: YEARS_YAML.index("    sheet_indicators")]
LEFT_OUT = "{column: b, id: x, left_out_where: {column: c, matches: x, reason: imputed}}"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("source_id: panel", "source_id: Panel", "panel.yml, line 2: source_id: .*found 'Panel'"),
        (
            "description:",
            "descripton:",
            (
                "panel.yml, line 3: descripton: this key is not known; allowed here: "
                "source_id.*did "
                "you mean description"
            ),
        ),
        (
            "level: city",
            "level: county",
            (
                "line 12: tables.0.place.level: expected 'city', 'province' or 'country'; found "
                "'county'"
            ),
        ),
        (
            "level: city,",
            "level: city, kind: a,",
            "tables.0.place.kind: this key is not known; allowed here: level, code, name",
        ),
        (
            "optional: true",
            "optinal: true",
            "tables.0.indicators.1.optinal: this key is not known; allowed here: .*unit_column",
        ),
        ("    year: {column: 年份}\n", "", "tables.0.year: expected this key; found nothing"),
        ("{column: 年份}", "{column: 年份, columns: '(x)'}", "tables.0.year: .*give one of column"),
        ("code: 城市代码, name: 城市", "", "tables.0.place: .*give the column of the code"),
        (r"\((.+)\)$", r"\((.+\)$", "unit_pattern: .*not a regular expression"),
        (r"\((.+)\)$", r"\(.+\)$", "unit_pattern: .*exactly one group"),
        (
            "unit_column: 单位",
            "unit_column: 单位, unit: 万元",
            "tables.0.indicators.1: .*at most one of unit",
        ),
        ("id: fdi_usd_1m", "id: FDI", "tables.0.indicators.1.id"),
        ("reason: subtotal of a province", "reason: x", "tables.0.drop_rows.0.reason"),
        (
            "optional: true",
            "left_out_where: {column: 年份, matches: '(', reason: too old}",
            "left_out_where.matches: .*not a regular expression",
        ),
        (
            "find: [年份, 城市]",
            "row: 0",
            "tables.0.header.row: expected a number greater than or equal to 1",
        ),
        ("find: [年份, 城市]", "search_rows: 5", "give one of row, find"),
        ("source_id: panel", "source_id: [", "panel.yml, line 4: expected YAML"),
        # whole layouts that lack what they need or say it twice
        *(
            (LAYOUT_YAML, text, "expected a mapping with the keys source_id")
            for text in ("", "- a\n", "text")
        ),
        (LAYOUT_YAML, NO_INDICATOR, r"sheet_indicators .* or row_indicators are needed"),
        (
            LAYOUT_YAML,
            f"{NO_INDICATOR}    row_indicators: {{column: a, indicators: [{LEFT_OUT}]}}\n",
            "leave whole rows out by drop_rows",
        ),
        (
            LAYOUT_YAML,
            "source_id: x\ndescription: a\ndescription: b\ntables: []\n",
            r"panel\.yml, line 3: description: expected each key once; found it twice",
        ),
    ],
)
def test_an_invalid_layout_names_file_key_and_what_is_allowed(old, new, message):
    assert old in LAYOUT_YAML
    with pytest.raises(LayoutError, match=message):
        parse_layout(LAYOUT_YAML.replace(old, new, 1), "panel.yml")


def test_a_layout_is_named_as_its_source(tmp_path):
    (tmp_path / "other.yml").write_text(LAYOUT_YAML, encoding="utf-8")
    with pytest.raises(LayoutError, match=r"other.yml, line 1: source_id: expected 'other'"):
        load_layouts(tmp_path)


def rules(layout) -> list[tuple[str, str | None, str]]:
    """Indicator, fixed unit and place level of every value rule of a layout."""
    return [
        (rule.id, rule.unit, table.place.level)
        for table in layout.tables
        for rule in (*table.indicators, *table.sheet_indicators.values())
    ]


def test_shipped_layouts_use_indicators_levels_and_units_of_the_seeds():
    catalog = pd.read_csv(SEEDS / "indicator_catalog.csv").set_index("indicator_id")
    units = set(
        pd.read_csv(SEEDS / "unit_factors.csv")[["unit_text", "canonical_unit"]].itertuples(
            index=False, name=None
        )
    )
    layouts = load_layouts()
    assert {
        "csmar_region",
        "finance_loans",
        "deflator",
        "resident_population",
        "industry_structure",
        "fdi",
    } <= set(layouts)
    for source, layout in layouts.items():
        for indicator, unit, level in rules(layout):
            assert catalog.loc[indicator, "place_level"] == level, (source, indicator)
            assert (
                unit is None
                or (re.sub(r"\s", "", unit).lower(), catalog.loc[indicator, "canonical_unit"])
                in units
            ), (
                source,
                indicator,
                unit,
            )


def test_the_schema_is_the_one_that_the_model_gives():
    assert SCHEMA_FILE.read_text(encoding="utf-8") == build_schema(), (
        "run .venv/bin/python -m warehouse.ingest.layouts"
    )
