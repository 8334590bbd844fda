"""Classes that Great Expectations' site builder uses (`expectations/gate.py` names them): pages
that need no network, and an index with every expectation. Great Expectations finds them by name,
whoever runs a checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
from great_expectations.render.renderer import ValidationResultsPageRenderer
from great_expectations.render.renderer.content_block import (
    ValidationResultsTableContentBlockRenderer,
)
from great_expectations.render.renderer.site_builder import DefaultSiteIndexBuilder
from great_expectations.render.view import DefaultJinjaPageView

from expectations.data_docs import make_offline, write_index
from expectations.gate import (
    RESULT_COLUMNS,
    as_row,
    failing_rows,
    meaning_of,
    severity_of,
)


class OfflinePage(DefaultJinjaPageView):
    """The page of a suite or of a result."""

    def render(self, document: Any, template: Any = None, **kwargs: Any) -> str:
        """Return Great Expectations' own page without what it would load from elsewhere."""
        return make_offline(super().render(document, template, **kwargs))


class PageOfResult(ValidationResultsPageRenderer):
    """The page of a result, which anyone may read: it names no folder of this machine."""

    def render(self, validation_results: Any) -> Any:
        """Return Great Expectations' own page without the path of the frame."""
        validation_results.meta.pop("batch_spec", None)
        return super().render(validation_results)


class TableWithMeaning(ValidationResultsTableContentBlockRenderer):
    """The table of a result, with severity and meaning of each expectation."""

    @classmethod
    def _get_custom_columns(cls, validation_results: Any) -> list[str]:
        return ["Severity", "What it means"]

    @classmethod
    def _get_content_block_fn(cls, *arguments: Any, **named: Any) -> Callable[..., list]:
        rows = super()._get_content_block_fn(*arguments, **named)

        def with_meaning(*, result: Any, **others: Any) -> list:
            config = result.expectation_config
            (row,) = rows(result=result, **others)
            return [[*row, [severity_of(config)], [escape(meaning_of(config))]]]

        return with_meaning


class IndexOfChecks(DefaultSiteIndexBuilder):
    """The first page: the newest result of every suite."""

    def build(self, **_: Any) -> tuple[str, dict]:
        """Write index.html beside the pages."""
        store = self.data_context.validation_results_store
        keys = sorted(store.list_keys(), key=lambda key: key.run_id.run_time)
        newest = {key.expectation_suite_identifier.name: key for key in keys}
        rows = []
        for name, key in newest.items():
            stage, _, dataset = name.partition(".")
            for result in store.get(key).results:
                rows.append(as_row(stage, dataset, failing_rows(stage, result), result))
        results = pd.DataFrame(rows, columns=list(RESULT_COLUMNS))
        docs_dir = Path(self.target_store.store_backends["index_page"].full_base_directory)
        write_index(docs_dir, results.sort_values(["stage", "dataset", "check_id"]))
        return "index.html", {}
