"""The row of a policy text: its columns and types, the version of what reads it, and how large a
text may be. Loads no parser.
"""

from __future__ import annotations

import pyarrow as pa

POLICY_READER_VERSION = "policy-4"
MAX_POLICY_BYTES = 20_000_000

CLAUSE_TYPE = pa.struct(
    [
        ("clause_no", pa.int32()),
        ("clause_text", pa.string()),
        ("clause_kind", pa.string()),
        ("marker", pa.string()),
        ("marker_level", pa.int32()),
        ("zone_text", pa.string()),
        ("char_start", pa.int32()),
        ("char_end", pa.int32()),
        ("line_no", pa.int32()),
    ]
)
POLICY_SCHEMA = pa.schema(
    [
        ("document_id", pa.string()),
        ("file_name", pa.string()),
        ("edition_year", pa.int32()),
        ("title", pa.string()),
        ("document_type", pa.string()),
        ("document_no", pa.string()),
        ("issuer", pa.string()),
        ("issue_date", pa.date32()),
        ("issue_year", pa.int32()),
        ("in_force_from", pa.date32()),
        ("in_force_to", pa.date32()),
        ("zone_texts", pa.list_(pa.string())),
        ("zone_rule", pa.string()),
        ("cited_numbers", pa.list_(pa.string())),
        ("repealed_numbers", pa.list_(pa.string())),
        ("is_transmitted", pa.bool_()),
        ("not_stated", pa.list_(pa.string())),
        ("n_characters", pa.int32()),
        ("n_masked", pa.int32()),
        ("n_broken", pa.int32()),
        ("text_hash", pa.string()),
        ("sketch", pa.list_(pa.uint64())),
        ("clauses", pa.list_(CLAUSE_TYPE)),
    ]
)
