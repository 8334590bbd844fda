"""sqlfluff on the SQL inside macros.

In a model it skips the text that a macro wrote, so each macro is written out first.
"""

from __future__ import annotations

import re
import textwrap
from typing import Any

import jinja2
import pytest
from sqlfluff.core import FluffConfig, Linter

from tests.warehouse.dbt_build import REPOSITORY

MACROS = REPOSITORY / "warehouse" / "macros"
# Macros that hold no SQL of their own: they give data back to Jinja, a name or number, or
# statements that only dbt can put together.
WITHOUT_SQL = {
    *(
        "identities",
        "detected_identities",
        "identity_indicators",
        "synchronization_series",
        "series_with",
        "series_before_admission",
    ),
    *(
        "generate_schema_name",
        "build_folder",
        "year_setting",
        "as_of_edition",
        "tie_first_year",
        "tie_last_year",
        "tie_minimum_years",
    ),
    *(
        "first_admission_year",
        "pair_year_limit",
        "years_kept_as_files",
        "write_years_as_files",
        "refuse_unsupported_settings",
    ),
    *(
        "take_roster_of_landing",
        "require_contract",
        "query_or_spark_table",
        "select_contract_columns",
        "comment_statements",
        "label_policy_clauses",
    ),
}
# What an argument stands for where its own name will not do.
ARGUMENTS = {
    "rule": "calendar_year",
    "pattern": "raw/*.parquet",
    "order_by": "row_no",
    "columns": ["row_no"],
    "keys": ["row_no"],
    "left": "left_side",
    "right": "right_side",
    "name": "row_no",
    "label_1": "name_i",
    "label_2": "name_j",
    "values": "window_values",
    "year": "some_year",
    "text": "clause_text",
}
STATEMENT = "select\n    row_no,\n    {} as result\nfrom source_table\n"
# as deep as where a model writes it: the macro breaks its lines for there
JOIN = """with final as (
    select 1 as one
    from left_side
    inner join right_side
        on
            {}
)

select * from final
"""
# Macros that are no expression: how a statement holds them.
FRAMES = {
    "all_columns_but": "select {}\nfrom relation\ncross join other_table\n",
    "read_build_parquet": "select * from {}\n",
    "read_policy_parquet": "select * from\n    {}\n",
    "classify_policy_clauses": "{}\n",
    "same_keys": JOIN,
    "same_pair": JOIN,
    "run_number": (
        "select {} as run_no\nfrom source_table\nwindow pair_years as (partition by city_id order "
        'by "year")\n'
    ),
    "order_of_choice": "select * from source_table\norder by\n    {}\n",
    "trend_residual_ctes": (
        "with indicator_limits as (\n    select * from thresholds\n),\n\n{}\n\nselect * from "
        "residuals\n"
    ),
}


def violations(sql: str) -> list[tuple[str, str]]:
    """Rule and sentence of all that sqlfluff finds in plain SQL; lengths of lines depend on the
    arguments and are checked in the file.
    """
    config = FluffConfig.from_path(
        str(REPOSITORY / "warehouse" / "models"), overrides={"templater": "raw"}
    )
    # sqlfluff's DuckDB knows a lambda of one argument only
    linted = Linter(config=config).lint_string(sql.replace("lambda kept, next:", "lambda kept:"))
    return [
        (found.rule_code(), f"line {found.line_no}: {found.desc()}")
        for found in linted.get_violations()
        if found.rule_code() != "LT05"
    ]


def macro_names() -> set[str]:
    texts = "".join(path.read_text(encoding="utf-8") for path in sorted(MACROS.glob("*.sql")))
    return set(re.findall(r"\{%-? macro (\w+)\(", texts))


@pytest.fixture(scope="module")
def environment() -> jinja2.Environment:
    """Every macro as a global, and the few functions of dbt that those with SQL call."""
    made = jinja2.Environment(
        extensions=["jinja2.ext.do"], loader=jinja2.FileSystemLoader(MACROS), autoescape=False
    )
    made.globals.update(
        target={"type": "duckdb"}, execute=False, env_var=lambda name, default: default
    )
    # a macro knows those of the files before it: settings are called by others, source_pairs calls
    # others
    for path in sorted(
        MACROS.glob("*.sql"),
        key=lambda path: (path.stem != "settings", path.stem == "source_pairs", path.stem),
    ):
        if path.stem != "table":
            module = made.get_template(path.name).module
            made.globals.update(
                {
                    name: macro
                    for name, macro in vars(module).items()
                    if isinstance(macro, jinja2.runtime.Macro)
                }
            )
    return made


def write_out(environment: jinja2.Environment, name: str) -> str:
    """A statement around what the macro writes for arguments of its own names."""
    macro: Any = environment.globals[name]
    body = str(macro(*(ARGUMENTS.get(argument, argument) for argument in macro.arguments))).strip()
    if name in ("classify_policy_clauses", "trend_residual_ctes"):
        body = textwrap.dedent("    " + body)
    return FRAMES.get(name, STATEMENT).replace("{}", body)


@pytest.mark.parametrize("name", sorted(macro_names() - WITHOUT_SQL))
def test_the_sql_of_a_macro_is_linted_as_a_model_is(
    environment: jinja2.Environment, name: str
) -> None:
    assert violations(write_out(environment, name)) == []


def test_macros_without_sql_are_macros() -> None:
    assert macro_names() >= WITHOUT_SQL


def test_the_check_finds_what_is_wrong(environment: jinja2.Environment) -> None:
    text = (
        (MACROS / "treatment.sql")
        .read_text(encoding="utf-8")
        .replace("when {{ cohort_i }} is null", "WHEN {{ cohort_i }} is  null")
    )
    wrong = environment.from_string(text).module
    assert {"CP01", "LT01"} == {
        rule
        for rule, _ in violations(STATEMENT.replace("{}", str(wrong.pair_cohort_year("a", "b"))))
    }
