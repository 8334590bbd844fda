"""Layout files: loaded and checked, with file, line and key of whatever is wrong; and their JSON
schema for editors.

The model itself is `layout_model`; ``python -m warehouse.ingest.layouts`` writes the schema.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ValidationError

from warehouse.ingest.errors import LayoutError
from warehouse.ingest.layout_model import Layout
from warehouse.yaml_files import LOADER

LAYOUT_FOLDER = Path(__file__).with_suffix("")
SCHEMA_FILE = LAYOUT_FOLDER / "layout.schema.json"
_SEE = "every key is described in docs/layouts.md"
_LONGEST = 120
_WORDS = (
    ("Field required", "expected this key"),
    ("Input should be greater", "expected a number greater"),
    ("Input should be less", "expected a number less"),
    ("Input should be", "expected"),
    ("String should have", "expected a text with"),
    ("String should match pattern", "expected a text of the form"),
    ("List should have", "expected a list with"),
)


def load_layouts(
    folder: Path = LAYOUT_FOLDER, needed: Collection[str] | None = None
) -> dict[str, Layout]:
    """Return layouts of a folder by source, in the order of their names.

    Parameters
    ----------
    folder : Path
    needed : collection of str, optional
        Sources whose layouts must be valid; an invalid layout of another source is skipped.
        Default: all.

    Raises
    ------
    LayoutError
        Files are not YAML or do not fit the model; the message names all of them, each with file,
        line, key, what is expected and what was found.
    """
    layouts, faults = {}, []
    for path in sorted(folder.glob("*.yml")):
        try:
            layout = _known(path.read_text(encoding="utf-8"), path.name)
            if layout.source_id != path.stem:
                found = (
                    f"expected {path.stem!r}, the file's name; found {layout.source_id!r}; rename "
                    "one of them"
                )
                raise LayoutError(f"{path.name}, line 1: source_id: {found}")
            layouts[layout.source_id] = layout
        except (LayoutError, UnicodeDecodeError) as error:
            if needed is not None and path.stem not in needed:
                continue
            faults.append(
                str(error)
                if isinstance(error, LayoutError)
                else f"{path.name}: expected a text in UTF-8; found {error}"
            )
    if faults:
        raise LayoutError("\n".join(faults))
    return layouts


def layouts_of(landing: Path) -> dict[str, Layout]:
    """Return layouts, of which those of the landing's sources must be right."""
    return load_layouts(needed={path.name for path in landing.glob("*")})


@lru_cache(maxsize=256)
def _known(text: str, file_name: str) -> Layout:
    """Return the same layout for the same text: each source of a run needs all of them."""
    return parse_layout(text, file_name)


def parse_layout(text: str, file_name: str) -> Layout:
    """Layout from YAML text; ``file_name`` is only named in errors (LayoutError)."""
    try:
        root = yaml.compose(text, Loader=LOADER)
        content = yaml.load(text, Loader=LOADER)  # noqa: S506 -- it builds plain values alone
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        said = " ".join(str(error).split())[:300]
        raise LayoutError(
            f"{file_name}{line}: expected YAML; {said}; repair the syntax at that place"
        ) from error
    if not isinstance(content, dict):
        keys = ", ".join(Layout.model_fields)
        raise LayoutError(
            f"{file_name}, line 1: expected a mapping with the keys {keys}; found "
            f"{type(content).__name__}; {_SEE}"
        )
    doubled = [
        f"{file_name}, line {line}: {key}: expected each key once; found it twice; keep one"
        for key, line in _doubled(root, ())
    ]
    if doubled:
        raise LayoutError("\n".join(doubled))
    try:
        return Layout.model_validate(content)
    except ValidationError as error:
        raise LayoutError(
            "\n".join(_explain(file_name, root, item) for item in error.errors())
        ) from error


def _explain(file_name: str, root: yaml.Node, item: dict) -> str:
    loc = tuple(item["loc"])
    key = ".".join(str(part) for part in loc) or "the whole file"
    where = f"{file_name}, line {_line(root, loc)}: {key}"
    if item["type"] == "extra_forbidden":
        allowed = list(_model_at(loc[:-1]).model_fields)
        near = difflib.get_close_matches(str(loc[-1]), allowed, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        return f"{where}: this key is not known; allowed here: {', '.join(allowed)}{meant}"
    found = "nothing" if item["type"] == "missing" else repr(item["input"])[:_LONGEST]
    return f"{where}: {_expected(item['msg'])}; found {found}; {_SEE}"


def _expected(message: str) -> str:
    """Return a message of pydantic as one of the reader, which begins with 'expected'."""
    for said, ours in _WORDS:
        if message.startswith(said):
            return ours + message.removeprefix(said)
    return f"expected: {message.removeprefix('Value error, ')}"


def _line(root: yaml.Node, loc: tuple) -> int:
    """Line of a key, or of what holds it where the key itself is missing."""
    node, line = root, root.start_mark.line
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line, pair[1]
        elif (
            isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value)
        ):
            node = node.value[part]
            line = node.start_mark.line
    return line + 1


def _doubled(node: yaml.Node, path: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """Find keys that are twice in a mapping, with their line:

    YAML would keep the last one silently.
    """
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                yield ".".join((*path, name)), key.start_mark.line + 1
            seen.add(name)
            yield from _doubled(value, (*path, name))
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from _doubled(value, (*path, str(number)))


def _model_at(path: tuple) -> type[BaseModel]:
    """Model that describes a place inside a layout, to list the keys allowed there."""
    model: type[BaseModel] = Layout
    for part in path:
        field = model.model_fields.get(part) if isinstance(part, str) else None
        nested = _nested_model(field.annotation) if field else None
        model = nested or model
    return model


def _nested_model(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        nested = _nested_model(argument)
        if nested is not None:
            return nested
    return None


def build_schema() -> str:
    """Return JSON schema of a layout file, as text."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema"
    } | Layout.model_json_schema()
    schema["title"] = "Layout of a source's files"
    return json.dumps(schema, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(build_schema(), encoding="utf-8")
