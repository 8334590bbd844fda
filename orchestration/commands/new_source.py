"""`citysync new-source`: draft the layout of a source that no layout knows."""

from __future__ import annotations

from orchestration.terminal import Exit, end_command
from warehouse.ingest.drafting.new_source import main


def new_source(
    folder: str | None, source_id: str | None, output: str | None, published: str | None
) -> int:
    """Write a draft to a file or standard output; 2 where nothing could be drafted."""
    if not folder:
        return end_command(Exit.BAD_INPUT, "expected the folder of a source, found none")
    options = {"--source-id": source_id, "--output": output, "--published": published}
    given = [f"{name}={value}" for name, value in options.items() if value]
    return main([*given, "--", folder])
