"""The page of policy texts, one self-contained file: clauses coloured by tool with their terms, the mix of tools, a search."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import Any

import duckdb
import jinja2
from markupsafe import Markup, escape

from .policy_data import PolicyData, PolicyDocument, read_policy_data

TEMPLATES = Path(__file__).parent / "templates"
FILE_NAME = "policy.html"

#: Tools by class in the order of the contract, with English and Chinese names.
TOOLS: dict[str, dict[str, tuple[str, str]]] = {
    "supply": {
        "talent": ("talent", "人才"),
        "capital": ("capital", "资金"),
        "technology_information": ("technology and information", "科技信息"),
        "infrastructure": ("infrastructure", "基础设施"),
        "public_service": ("public service", "公共服务"),
    },
    "environment": {
        "goal_planning": ("goal planning", "目标规划"),
        "finance": ("finance", "金融"),
        "tax": ("tax", "税收"),
        "regulation": ("regulation", "法规管制"),
        "strategic_measures": ("strategic measures", "策略性措施"),
    },
    "demand": {
        "government_procurement": ("government procurement", "政府采购"),
        "outsourcing": ("outsourcing", "外包"),
        "trade_facilitation": ("trade facilitation", "贸易便利与管制"),
        "overseas_institutions": ("overseas institutions", "海外机构"),
    },
}
CLASS_NAMES = {"supply": ("supply", "供给型"), "environment": ("environment", "环境型"), "demand": ("demand", "需求型")}
_WIDTH, _ROW, _BAR, _LABEL, _FIGURE = 720, 26, 16, 140, 120


def write_policy_page(con: duckdb.DuckDBPyConnection, out_dir: Path | str, *, is_simulated: bool = False) -> Path | None:
    """Write ``policy.html`` into a folder; the same marts give the same bytes.

    Parameters
    ----------
    con : open connection with the schema ``marts``
    out_dir : folder, made if it does not exist
    is_simulated : whether the texts are made up

    Returns
    -------
    Path or None
        None, and no file, where no policy text was delivered.
    """
    data = read_policy_data(con)
    if data is None:
        return None
    out_dir = Path(out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    draft = out_dir / f".{FILE_NAME}.new"
    draft.write_text(render(data, is_simulated=is_simulated), encoding="utf-8", newline="\n")
    os.replace(draft, out_dir / FILE_NAME)
    return out_dir / FILE_NAME


def render(data: PolicyData, *, is_simulated: bool = False) -> str:
    """The page as text; titles, clauses, names and terms are delivered texts and are escaped wherever they stand."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("policy.html.j2").render(
        is_simulated=is_simulated,
        data=data,
        documents=[_shown(number, document) for number, document in enumerate(data.documents, start=1)],
        tools=TOOLS,
        classes=CLASS_NAMES,
        by_batch=_batch_bars(data),
        by_zone=_zone_bars(data),
        table=_batch_table(data),
    )


def marked(text: str, terms: str, places: list[int]) -> Markup:
    """A clause with its terms in ``mark`` elements, everything escaped.

    Places count characters from 1; one that does not hold its term (letters may change their length in upper case) is left unmarked.
    """
    parts, end = [], 0
    for place, term in zip(places, terms.split("|") if terms else [], strict=False):
        start, stop = place - 1, place - 1 + len(term)
        if start < end or text[start:stop].upper() != term.upper():
            continue
        parts += [escape(text[end:start]), Markup("<mark>{}</mark>").format(text[start:stop])]
        end = stop
    return Markup("").join([*parts, escape(text[end:])])


def _shown(number: int, document: PolicyDocument) -> dict[str, Any]:
    clauses = []
    for clause in document.clauses:
        is_tool = clause["tool_class"] in TOOLS
        english, chinese = TOOLS[clause["tool_class"]][clause["tool"]] if is_tool else ("", "")
        clauses.append(
            clause
            | {
                "is_tool": is_tool,
                "english": english,
                "chinese": chinese,
                "html": marked(clause["text"], clause["terms"], clause["places"]),
                "term_list": ", ".join(clause["terms"].split("|")) if clause["terms"] else "",
            }
        )
    title = document.title or document.document_no or document.document_id
    return {"number": number, "title": title, "document": document, "clauses": clauses, "n_tools": sum(c["is_tool"] for c in clauses)}


def _batch_name(batch: int) -> str:
    return f"batch {batch}" if batch else "no zone"


def _by_class(data: PolicyData, keys: tuple[int, ...]) -> dict[tuple, dict[str, float]]:
    """Strength by class for each combination of the named fields of `mix`."""
    sums: dict[tuple, dict[str, float]] = defaultdict(lambda: dict.fromkeys(TOOLS, 0.0))
    for row in data.mix:
        sums[tuple(row[k] for k in keys)][row[2]] += row[5]
    return dict(sorted(sums.items()))


def _batch_bars(data: PolicyData) -> Markup | None:
    n_zones = {key: len({row[1] for row in data.mix if row[0] == key}) for key in {row[0] for row in data.mix}}
    rows = [
        (_batch_name(batch), f"{n_zones[batch]} zone{'s' * (n_zones[batch] > 1)}", sums) for (batch,), sums in _by_class(data, (0,)).items()
    ]
    return _bars(rows, "Share of supply, environment and demand tools in the strength of policy, by batch")


def _zone_bars(data: PolicyData) -> Markup | None:
    rows = [(zone, _batch_name(batch), sums) for (batch, zone), sums in _by_class(data, (0, 1)).items()]
    return _bars(rows, "Share of supply, environment and demand tools in the strength of policy, by zone")


def _bars(rows: list[tuple[str, str, dict[str, float]]], title: str) -> Markup | None:
    """Stacked bars of shares with the percentage in each part that has room for it."""
    rows = [row for row in rows if sum(row[2].values()) > 0]
    if not rows:
        return None
    width = _WIDTH - _LABEL - _FIGURE
    parts = [
        Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}" class="bars">').format(_WIDTH, _ROW * len(rows), title),
    ]
    for k, (name, note, sums) in enumerate(rows):
        y, left, total = k * _ROW, float(_LABEL), sum(sums.values())
        parts.append(Markup('<text x="{}" y="{}" class="name">{}</text>').format(_LABEL - 8, y + 17, name))
        for tool_class, strength in sums.items():
            share = strength / total
            if share > 0:
                parts.append(_part(tool_class, share, left, y, width))
                left += share * width
        parts.append(Markup('<text x="{}" y="{}" class="note">{}</text>').format(_LABEL + width + 8, y + 17, f"{total:,.0f} · {note}"))
    return Markup("").join([*parts, Markup("</svg>")])


def _part(tool_class: str, share: float, left: float, y: int, width: int) -> Markup:
    english, chinese = CLASS_NAMES[tool_class]
    box = Markup('<g><title>{} {} {}</title><rect class="{}" x="{:.1f}" y="{}" width="{:.1f}" height="{}"></rect>').format(
        english, chinese, f"{share:.0%}", tool_class, left, y + 5, share * width, _BAR
    )
    label = f"{english[0].upper()} {share:.0%}"
    text = Markup('<text x="{:.1f}" y="{}" class="inside">{}</text>').format(left + share * width / 2, y + 17, label)
    return box + (text if share * width > 46 else Markup("")) + Markup("</g>")


def _batch_table(data: PolicyData) -> dict[str, Any]:
    """Share of each tool in a batch's strength, per cent; the numbers behind the picture."""
    batches = sorted({row[0] for row in data.mix})
    sums = {(row[0], tool): 0.0 for row in data.mix for group in TOOLS.values() for tool in group}
    for row in data.mix:
        sums[row[0], row[3]] += row[5]
    totals = {batch: sum(value for (key, _), value in sums.items() if key == batch) for batch in batches}
    shares = {key: value / totals[key[0]] if totals[key[0]] else 0.0 for key, value in sums.items()}
    rows = [
        {"class": tool_class, "english": english, "chinese": chinese, "cells": [f"{shares[batch, tool]:.0%}" for batch in batches]}
        for tool_class, group in TOOLS.items()
        for tool, (english, chinese) in group.items()
    ]
    return {"batches": [_batch_name(batch) for batch in batches], "rows": rows}
