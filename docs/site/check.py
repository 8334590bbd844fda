"""`make site`: every link of the built pages leads somewhere, and no page loads anything from
another host.

Run on the system's Python or any other: it imports the standard library alone.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# what a browser fetches by itself
LOADED = {"img": "src", "script": "src", "iframe": "src", "source": "src"}


class _Page(HTMLParser):
    """Links, loads and anchors of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag in LOADED and LOADED[tag] in found:
            self.loads.append(found[LOADED[tag]])
        if tag == "link" and found.get("rel") != "canonical" and "href" in found:
            self.loads.append(found["href"])


def faults_of(site: Path) -> list[str]:
    """One line for each link that leads nowhere and each load from another host."""
    pages = {path: _Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    faults = []
    for path, page in pages.items():
        # the page of missing addresses is made for the root of a server
        if path.name == "404.html":
            continue
        name = path.relative_to(site)
        faults += [f"{name}: loads {target}" for target in page.loads if urlsplit(target).netloc]
        for target in (*page.links, *page.loads):
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            to = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not to.exists():
                faults.append(f"{name}: {target} leads nowhere")
            elif (
                parts.fragment and to in pages and unquote(parts.fragment) not in pages[to].anchors
            ):
                faults.append(f"{name}: {target} has no such place")
    return faults


def main() -> int:
    """Print the faults; 1 if there are any."""
    site = Path(sys.argv[1]).resolve()
    faults = faults_of(site)
    for fault in faults:
        print(fault)
    pages = len(list(site.rglob("*.html")))
    print(
        f"citysync site: exit {int(bool(faults))}: {pages} pages, {len(faults)} faults; open "
        f"{site / 'index.html'}"
    )
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
