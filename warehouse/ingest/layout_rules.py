"""What the validators of the layout model hold between keys, once more in JSON schema, for editors.

A rule that is added there is added here. What no schema can say (whether a pattern is one, how many
groups it has) only the reader checks.
"""

from __future__ import annotations

from itertools import combinations


def _has(*names: str) -> dict:
    """Any of these keys is given."""
    return (
        {"required": [names[0]]}
        if len(names) == 1
        else {"anyOf": [{"required": [name]} for name in names]}
    )


def _one_of(*names: str) -> dict:
    """Exactly one of these keys is given."""
    return {"oneOf": [{"required": [name]} for name in names]}


def _not_both(*ways: dict) -> list[dict]:
    """No two of these ways together."""
    return [{"not": {"allOf": list(pair)}} for pair in combinations(ways, 2)]


def _is(name: str, value: object) -> dict:
    return {"properties": {name: {"const": value}}, "required": [name]}


EDITION_YEAR = _one_of("file_name", "fixed")
HEADER = {
    **_one_of("row", "find"),
    "allOf": [{"not": {"required": ["row", "after"]}}, {"not": _is("unit_row", 0)}],
}
TABLE_END = _one_of("matches", "blank_rows")
WITHIN = _one_of("column", "sheet_name", "title", "row")
LOOKED_UP = _has("name", "code")
YEAR = {
    **_one_of("column", "letter", "columns", "sheet_name", "title", "constant", "edition_offset"),
    "allOf": [
        {"anyOf": [{"not": _is("fill_down", True)}, _has("column", "letter")]},
        {"anyOf": [{"not": _has("pattern")}, _has("column", "letter")]},
    ],
}
UNIT_RULE = {"allOf": _not_both(_has("unit"), _has("unit_pattern"), _has("unit_column"))}
INDICATOR = {
    **_has("column", "pattern", "letter"),
    "allOf": [
        *_not_both(_has("unit"), _has("unit_pattern"), _has("unit_column")),
        *_not_both(_has("column", "letter"), _has("pattern")),
        {"not": {"allOf": [{"required": ["letter", "unit_pattern"]}, {"not": _has("column")}]}},
    ],
}
ROW_INDICATORS = {
    "allOf": [{"properties": {"indicators": {"items": {"not": _has("left_out_where", "letter")}}}}]
}
_PLACE_WAYS = (
    _has("code", "name", "code_letter", "name_letter"),
    _has("title"),
    _has("columns"),
    _has("looked_up"),
)
PLACE = {
    "allOf": [
        {"not": {"required": ["code", "code_letter"]}},
        {"not": {"required": ["name", "name_letter"]}},
        {"anyOf": [{"not": _has("name_pattern")}, _has("name", "name_letter")]},
        *_not_both(*_PLACE_WAYS),
        {"anyOf": [_is("level", "country"), *_PLACE_WAYS]},
    ]
}
_YEARS_ACROSS = {"properties": {"year": _has("columns")}}
_PLACES_ACROSS = {"properties": {"place": _has("columns")}}
_BY_SHEET = {
    "properties": {"sheet_indicators": {"minProperties": 1}},
    "required": ["sheet_indicators"],
}
_BY_ROW = _has("row_indicators")
_BY_COLUMN = {"properties": {"indicators": {"minItems": 1}}, "required": ["indicators"]}
_VALUE_IN_ROW = {"properties": {"row_indicators": _has("value")}}
TABLE = {
    "allOf": [
        {"not": {"allOf": [_YEARS_ACROSS, _PLACES_ACROSS]}},
        {
            "if": {"anyOf": [_YEARS_ACROSS, _PLACES_ACROSS]},
            "then": {"oneOf": [_BY_SHEET, _BY_ROW, _BY_COLUMN]},
            "else": {
                "if": _BY_ROW,
                "then": {"allOf": [_VALUE_IN_ROW, {"not": _BY_COLUMN}, {"not": _BY_SHEET}]},
                "else": {"allOf": [_BY_COLUMN, {"not": _BY_SHEET}]},
            },
        },
        {
            "if": {"allOf": [{"anyOf": [_YEARS_ACROSS, _PLACES_ACROSS]}, _BY_ROW]},
            "then": {"not": _VALUE_IN_ROW},
        },
    ]
}
