"""The documentation leads somewhere: cited sections, links, paths and commands exist, and formulas
name files that exist.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]
METHODS = REPO / "docs" / "methods"
# folders that are not ours, or that a run makes
SKIPPED = {".git", "data", "target", "logs", "__pycache__"}
TEXTS = {".py", ".sql", ".yml", ".yaml", ".md", ".toml", ".csv", ".html", ".js", ".in", ""}
PACKAGES = ("warehouse", "expectations", "estimation", "orchestration", "benchmarks", "tests")
# a document beside the repository, which no page may send a reader to
ABSENT = "METHODS" + ".md"
# names in backticks that stand for files of a reader, of a landing or of a run
PLACEHOLDERS = {
    *("refresh.lock", "data/sync/<city>.js", "data/values/<city>.js"),
    *(
        f"{folder}places/{name}.csv"
        for folder in ("", "<landing>/")
        for name in ("roster", "zones")
    ),
}
KNOWN_ENDINGS = (".py", ".sql", ".yml", ".csv", ".md", ".svg", ".toml", ".lock")

NUMBER = r"\d{1,2}(?:\.\d{1,2})?"
SEVERAL = rf"{NUMBER}(?:(?:, | and | or | to ){NUMBER})*"
CITATION = re.compile(rf"docs/methods, sections? ({SEVERAL})")
INSIDE = re.compile(rf"\b[Ss]ections? ({SEVERAL})")
LINKED = re.compile(
    rf"\[[^\]]*methods, (?:section )?({NUMBER})\]\(([^)#\s]+)\)|\]\(([^)#\s]*methods/[^)#\s]+)\), "
    rf"({SEVERAL})"
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(rf"^#+ ({NUMBER})\.? ", re.MULTILINE)
COMPUTED = re.compile(r"^(?:Computed|Compared) in: (.*?)(?:\n\n|\Z)", re.MULTILINE | re.DOTALL)
# a module or a name of a module in the docstrings of a package, as `study.multiplicity` inside
# `estimation`
DOTTED = re.compile(r"`([a-z_]+(?:\.\w+)+)`")
PAGE_IN_TEXT = re.compile(r"(?<![\w/.])docs/[\w/-]+\.md")


@cache
def repository_files() -> tuple[Path, ...]:
    """Every file of the repository, relative to it."""
    found = []
    for path in sorted(REPO.rglob("*")):
        parts = path.relative_to(REPO).parts
        if path.is_file() and not any(
            part in SKIPPED or part.startswith(".venv") for part in parts
        ):
            found.append(path.relative_to(REPO))
    return tuple(found)


@cache
def text_of(path: Path) -> str:
    """A file's text; nothing for one that is no text."""
    try:
        return (REPO / path).read_text(encoding="utf-8") if path.suffix in TEXTS else ""
    except UnicodeDecodeError:
        return ""


def joined(text: str) -> str:
    """The text on one line, without the signs that begin a comment: a citation may be broken over
    two lines.
    """
    return re.sub(r"\s*\n\s*(?:#|--)?\s*", " ", text)


def without_fences(page: str) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^\s*```.*?^\s*```", "", page, flags=re.MULTILINE | re.DOTALL)


def expand(several: str) -> list[str]:
    """Section numbers of a list such as `3 to 5`, `4 and 5` or `8.4 to 8.6`."""
    found: list[str] = []
    pieces = re.split(r"(, | and | or | to )", several)
    for link, number in zip(["", *pieces[1::2]], pieces[::2], strict=True):
        if link == " to ":
            head, _, first = found[-1].rpartition(".")
            last_head, _, last = number.rpartition(".")
            if head == last_head:
                found += [
                    f"{head}.{n}" if head else str(n) for n in range(int(first) + 1, int(last))
                ]
        found.append(number)
    return found


@cache
def sections() -> frozenset[str]:
    """Numbers of all headings of docs/methods."""
    return frozenset(
        number
        for page in METHODS.glob("*.md")
        for number in HEADING.findall(page.read_text(encoding="utf-8"))
    )


def unknown_sections(text: str, known: frozenset[str], pattern: re.Pattern = CITATION) -> list[str]:
    """Cited sections that have no heading."""
    return [
        number
        for several in pattern.findall(joined(text))
        for number in expand(several)
        if number not in known
    ]


def misplaced_sections(page: str, folder: Path) -> list[str]:
    """Sections named beside a link to a page of the methods that does not hold them."""
    faults = []
    for one, target, other_target, several in LINKED.findall(joined(page)):
        path = folder / (target or other_target)
        held = HEADING.findall(path.read_text(encoding="utf-8")) if path.is_file() else []
        faults += [
            f"{number} in {path.name}" for number in expand(one or several) if number not in held
        ]
    return faults


def broken_links(page: str, folder: Path) -> list[str]:
    """Relative links of a page that lead nowhere."""
    targets = [
        target.split("#")[0]
        for target in LINK.findall(without_fences(page))
        if not re.match(r"[a-z]+:", target)
    ]
    return [target for target in targets if target and not (folder / target).exists()]


def exists(name: str) -> bool:
    """Whether a path in backticks is there: from the root, or as the end of a longer path; `<...>`
    stands for any name.
    """
    pattern = re.sub(r"<[^>]*>", "*", name.rstrip("/"))
    if any(REPO.glob(pattern)):
        return True
    return name.endswith(KNOWN_ENDINGS) and any(path.match(pattern) for path in repository_files())


def looks_like_path(name: str) -> bool:
    """Whether a name in backticks stands for a file or folder of the repository."""
    if re.search(r"[\s(){}$=\"']|\.\.", name) or name.startswith(
        ("-", "/", "data/", "published/", "build/")
    ):
        return False
    return name.startswith(
        tuple(f"{package}/" for package in (*PACKAGES, "docs"))
    ) or name.endswith(KNOWN_ENDINGS)


def missing_paths(page: str) -> list[str]:
    """Names in backticks that look like a path of the repository and are not there."""
    names = re.findall(r"`([^`\n]+)`", without_fences(page))
    return [
        name
        for name in names
        if name not in PLACEHOLDERS and looks_like_path(name) and not exists(name)
    ]


def module_exists(dotted: str) -> bool:
    """Whether a dotted name leads to a package, a module or a name that stands in a module."""
    parts = dotted.split(".")
    for n in range(len(parts), 0, -1):
        module = REPO.joinpath(*parts[:n]).with_suffix(".py")
        if module.is_file():
            return n == len(parts) or bool(
                re.search(rf"\b{re.escape(parts[n])}\b", module.read_text(encoding="utf-8"))
            )
    return REPO.joinpath(*parts).is_dir()


def missing_modules(page: str) -> list[str]:
    """Modules of ours that a page names, in backticks or after `python -m`, and that are
    not there.
    """
    packages = "|".join(PACKAGES)
    named = re.findall(rf"`((?:{packages})(?:\.\w+)+)`|-m ((?:{packages})(?:\.\w+)*)", page)
    names = [name for pair in named for name in pair if name and not name.endswith(KNOWN_ENDINGS)]
    return [name for name in names if not module_exists(name)]


def missing_in_docstrings(source: str, package: str) -> list[str]:
    """Dotted names in backticks of a module's docstrings that begin with a folder of its package,
    or with a package, and lead nowhere.
    """
    folders = {path.name for path in (REPO / package).iterdir() if path.is_dir()}
    documented = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
    ]
    names = [name for node in documented for name in DOTTED.findall(ast.get_docstring(node) or "")]
    inside = [
        name
        for name in names
        if name.split(".")[0] in folders and not module_exists(f"{package}.{name}")
    ]
    return [
        name for name in names if name.split(".")[0] in PACKAGES and not module_exists(name)
    ] + inside


def formula_files(page: str) -> list[str]:
    """What a page of the methods names as computing its formulas."""
    return [name for line in COMPUTED.findall(page) for name in re.findall(r"`([^`]+)`", line)]


def pages() -> list[Path]:
    """README, CONTRIBUTING, CHANGELOG and every page of docs/, relative to the repository."""
    top = [Path(name) for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    return top + [
        path for path in repository_files() if path.parts[0] == "docs" and path.suffix == ".md"
    ]


def test_cited_sections_of_the_methods_exist() -> None:
    faults = {
        str(path): found
        for path in repository_files()
        if (found := unknown_sections(text_of(path), sections()))
    }
    cited = [
        number for path in repository_files() for number in CITATION.findall(joined(text_of(path)))
    ]
    assert not faults and len(cited) > 25, f"cited without a heading in docs/methods: {faults}"


def test_sections_that_pages_name_exist() -> None:
    inside = {
        page.name: unknown_sections(page.read_text(encoding="utf-8"), sections(), INSIDE)
        for page in METHODS.glob("*.md")
    }
    beside = {
        str(path): misplaced_sections(text_of(path), (REPO / path).parent) for path in pages()
    }
    assert not {name: found for name, found in (inside | beside).items() if found}


def test_each_page_of_the_methods_is_one_section() -> None:
    numbers = []
    for page in sorted(METHODS.glob("[0-9]*.md")):
        headings = HEADING.findall(page.read_text(encoding="utf-8"))
        assert headings[0] == str(int(page.name[:2])) and all(
            h.split(".")[0] == headings[0] for h in headings
        ), page.name
        assert len(set(headings)) == len(headings), page.name
        numbers.append(int(headings[0]))
    assert numbers == list(range(1, len(numbers) + 1))


def test_no_page_sends_a_reader_to_a_document_that_is_not_here() -> None:
    assert not [str(path) for path in repository_files() if ABSENT in text_of(path)]
    named = {
        str(path): PAGE_IN_TEXT.findall(text_of(path))
        for path in repository_files()
        if path.name != "test_docs.py"
    }
    missing = {
        path: [page for page in found if not (REPO / page).is_file()]
        for path, found in named.items()
    }
    assert not {path: found for path, found in missing.items() if found}


@pytest.mark.parametrize("path", pages(), ids=str)
def test_links_paths_and_commands_of_a_page_lead_somewhere(path: Path) -> None:
    page = text_of(path)
    assert broken_links(page, (REPO / path).parent) == []
    assert missing_paths(page) == []
    assert missing_modules(page) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_docstrings_name_modules_that_exist(package: str) -> None:
    modules = [
        path for path in repository_files() if path.suffix == ".py" and path.parts[0] == package
    ]
    missing = {str(path): missing_in_docstrings(text_of(path), package) for path in modules}
    assert {path: names for path, names in missing.items() if names} == {}


@pytest.mark.parametrize("page", sorted(METHODS.glob("[0-9]*.md")), ids=lambda page: page.name)
def test_formulas_name_the_files_that_compute_them(page: Path) -> None:
    named = formula_files(page.read_text(encoding="utf-8"))
    assert named, f"{page.name} names no file that computes its formulas"
    assert [name for name in named if not (REPO / name).exists()] == []


def test_the_tree_of_the_architecture_is_the_repository() -> None:
    tree = re.search(
        r"^```\n(estimation/.*?)^```",
        text_of(Path("docs/architecture.md")),
        re.MULTILINE | re.DOTALL,
    )
    assert tree is not None
    top, faults = "", []
    for line in tree.group(1).splitlines():
        top = line.split("/")[0] if re.match(r"\w+/", line) else top
        faults += [
            f"{top}/{name}"
            for name in re.findall(r"(?:^ {2}| {4,})(\w+)/(?=\s)", line)
            if not (REPO / top / name).is_dir()
        ]
    assert faults == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see docs/methods, section 7", []),
        ("docs/methods, sections 3 to 5", ["4"]),
        ("docs/methods, sections 3 and 9", ["9"]),
        ("docs/methods, section\n    # 9.1 says", ["9.1"]),
        ("docs/methods, section 7.2", ["7.2"]),
        ("docs/methods, sections 7.1 to 7.3, and more", ["7.2", "7.3"]),
    ],
)
def test_the_checker_finds_planted_citations(text: str, found: list[str]) -> None:
    assert unknown_sections(text, frozenset({"3", "5", "7", "7.1"})) == found


def test_the_checker_finds_planted_links_paths_and_modules(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# 7. There\n\n## 7.1 Here\n", encoding="utf-8")
    assert broken_links(
        (
            "[a](there.md) [b](there.md#x) [c](gone.md) "
            "[d](https://example.org)\n```\n[e](gone.md)\n```\n"
        ),
        tmp_path,
    ) == ["gone.md"]
    assert missing_paths(
        "`estimation/fit.py` `estimation/gone.py` `gone.sql` `fit.py` `make test` `docs/gone/`"
    ) == [
        "estimation/gone.py",
        "gone.sql",
        "docs/gone/",
    ]
    assert missing_paths(
        "`warehouse/ingest/layouts/<source_id>.yml` `warehouse/gone/<source_id>.yml`"
    ) == ["warehouse/gone/<source_id>.yml"]
    assert missing_modules(
        "`estimation.fit.fit_outcomes` `estimation.fit.gone` python -m benchmarks.gone"
    ) == [
        "estimation.fit.gone",
        "benchmarks.gone",
    ]
    assert misplaced_sections(
        "[methods, section 7](there.md) [methods, 7.2](there.md)", tmp_path
    ) == ["7.2 in there.md"]
    assert formula_files("Computed in: `a.py`,\n`b.sql`\n\nnot `c.py`\n") == ["a.py", "b.sql"]
    planted = (
        '"""Sums of `engines.arrays`, `engines.gone` and `estimation.gone`; `years.index` '
        'is no module."""\n'
    )
    assert missing_in_docstrings(planted, "estimation") == ["estimation.gone", "engines.gone"]
