"""The gallery of published results runs as it stands, and its data stay out of the wheel."""

import pytest

from tests.docs.examples import REPO, link_docs, run_page

PAGE = REPO / "docs" / "gallery" / "index.md"


@pytest.mark.full
@pytest.mark.filterwarnings("ignore")
def test_every_number_of_the_gallery_comes_out() -> None:
    for block, printed in run_page(PAGE.read_text(encoding="utf-8"), prepare=link_docs):
        assert printed == block.text, "write it with: python -m tests.docs.examples PAGE"
