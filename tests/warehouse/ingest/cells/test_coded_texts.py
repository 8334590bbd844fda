"""Coded texts say the same as the list of texts they stand for."""

import pyarrow as pa

from warehouse.ingest.cells.coded_texts import CodedTexts

TEXTS = ["甲", None, "乙", "甲", " ", None]


def test_codes_stand_for_the_texts() -> None:
    coded = CodedTexts.from_texts(pa.array(TEXTS, pa.string()))
    assert coded.to_list() == TEXTS == coded.to_arrow().to_pylist()
    assert CodedTexts.from_list(TEXTS).to_list() == TEXTS
    assert coded.words == ["甲", "乙", " "]


def test_words_that_become_alike_share_a_code_and_others_vanish() -> None:
    mapped = CodedTexts.from_list(TEXTS).mapped(lambda text: None if text == "乙" else "丙")
    assert mapped.to_list() == ["丙", None, None, "丙", "丙", None]
    assert mapped.words == ["丙"]


def test_parts_are_joined_and_positions_taken() -> None:
    parts = [
        CodedTexts.from_list(TEXTS),
        CodedTexts.constant("乙", 2),
        CodedTexts.constant(None, 1),
        CodedTexts.from_list(["丁"]),
    ]
    joined = CodedTexts.concat(parts)
    assert joined.to_list() == [*TEXTS, "乙", "乙", None, "丁"]
    assert joined.take([9, 1, 6]).to_list() == ["丁", None, "乙"]
    assert CodedTexts.concat([]).to_list() == []
