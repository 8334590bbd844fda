"""Write figures and tables to download: figures as SVG, the picture of a link's card as PNG, tables
as HTML, LaTeX, Word and CSV, the same bytes for the same input.
"""

from __future__ import annotations

from pathlib import Path

from .data import ReportData
from .journal_tables import TABLES, build_table
from .language import Words
from .link_card import card
from .pages.context import Context
from .pages.pictures import answer, event_study, threshold
from .pages.result import finding
from .plots import Chart, standing
from .shown_specs import PRIMARY

KINDS = (".html", ".tex", ".csv", ".docx")
# in Chinese without LaTeX, which would need fonts and packages of its own
KINDS_ZH = (".html", ".csv", ".docx")


def write_exhibits(data: ReportData, out_dir: Path | str) -> list[Path]:
    """Write ``figures/<name>.svg``, ``figures/card.png`` and ``tables/<name>`` as .html, .tex,
    .docx and .csv below a folder; ``tables/<name>_zh`` has Chinese headings, without .tex.

    Parameters
    ----------
    data : ReportData
        Of the build or of a publication.
    out_dir : folder, made if it does not exist

    Returns
    -------
    list of Path
        In order of writing. A figure or table whose estimates lack is left out.
    """
    page, written = Context(data, Words("en")), []
    stamp = page.words.plain("label.simulated") if page.data.is_simulated else ""
    for name in ("figures", "tables"):
        (Path(out_dir) / name).mkdir(parents=True, exist_ok=True)
    for draw in (answer, event_study, threshold):
        found = draw(page)
        if found is not None:
            written.append(Path(out_dir) / f"figures/{found.name.replace('-', '_')}.svg")
            picture = standing(found.svg, stamp, head=head_of(page, found))
            written[-1].write_text(picture, encoding="utf-8", newline="\n")
    found = answer(page)
    if found is not None:
        written.append(Path(out_dir) / "figures/card.png")
        title = page.words.plain(f"result.{finding(page.one('primary', spec_id=PRIMARY))}")
        card(title, standing(found.svg, stamp)).save(written[-1], optimize=True)
    for name in TABLES:
        for words, ending, kinds in ((page.words, "", KINDS), (Words("zh"), "_zh", KINDS_ZH)):
            table = build_table(page.data, words, name)
            if table is None:
                continue
            for suffix in kinds:
                written.append(Path(out_dir) / f"tables/{name}{ending}{suffix}")
                table.write(written[-1])
    return written


def answer_picture(data: ReportData, language: str) -> str:
    """Return the picture of the answer as SVG, its words in a language; empty without an answer."""
    page = Context(data, Words(language))
    found = answer(page)
    stamp = page.words.plain("label.simulated") if data.is_simulated else ""
    if found is None:
        return ""
    return standing(found.svg, stamp, head=head_of(page, found))


def head_of(page: Context, picture: Chart) -> list[str]:
    """Return what a picture in a file of its own says above itself: the finding, what is shown with
    unit and years, how to read it, and where it is from.
    """
    key = "label.source_simulated" if page.data.is_simulated else "label.source"
    lines = [picture.title, picture.subtitle, picture.note, page.words.plain(key)]
    return [line for line in lines if line]
