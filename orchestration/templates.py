"""Fill templates, which are next to the modules that use them."""

from __future__ import annotations

from pathlib import Path

import jinja2


def fill(path: Path, **given: object) -> str:
    """Return the text of a template (`NAME.j2`); a page (`.html.j2`) escapes what it is given."""
    is_page = path.name.endswith(".html.j2")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(path.parent),
        undefined=jinja2.StrictUndefined,
        autoescape=jinja2.select_autoescape(("html.j2",)),
        trim_blocks=is_page,
        lstrip_blocks=is_page,
        keep_trailing_newline=not is_page,
    )
    return environment.get_template(path.name).render(**given)
