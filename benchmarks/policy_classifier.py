"""A learned classifier against the lexicon on the labelled clauses: TF-IDF of jieba tokens with
logistic regression. JSON lines.

Needs scikit-learn and jieba, which no other part of the project uses: an environment of its own
beside `.venv`, with `pip install scikit-learn jieba duckdb jinja2 pyarrow opencc pyyaml`
(docs/evidence/policy-classifier.md), then `python -m benchmarks.policy_classifier`.
"""

from __future__ import annotations

import csv
import json
import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from estimation.classify import classify_clauses, find_lexicon

LABELLED = Path(__file__).resolve().parents[1] / "tests" / "estimation" / "labelled_clauses.csv"
STRENGTHS = (0.1, 1.0, 10.0, 100.0)
FOLDS = 5
SEED = 20150307


def read_labelled() -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Rows of the part to develop and of the part that is only measured."""
    with LABELLED.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [row for row in rows if row["part"] != "measured"], [
        row for row in rows if row["part"] == "measured"
    ]


def score(truth: Sequence[str], found: Sequence[str]) -> dict[str, Any]:
    """Accuracy, lowest recall over the labels with the labels that have it, and the mean recall."""
    n, right = Counter(truth), Counter(t for t, f in zip(truth, found, strict=True) if t == f)
    recall = {label: right[label] / n[label] for label in sorted(n)}
    lowest = min(recall.values())
    return {
        "n": len(truth),
        "accuracy": round(sum(right.values()) / len(truth), 3),
        "mean_recall": round(sum(recall.values()) / len(recall), 3),
        "lowest_recall": round(lowest, 3),
        "lowest": [label for label, value in recall.items() if value == lowest],
    }


def tokens(clause: str) -> list[str]:
    """Words of a clause by jieba."""
    import jieba

    return jieba.lcut(clause)


def learned_labels(develop: list[dict[str, str]], clauses: list[str]) -> tuple[list[str], float]:
    """Labels by logistic regression on TF-IDF of jieba tokens and pairs, and its C, chosen by
    cross-validation in `develop` alone.
    """
    import jieba
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.pipeline import make_pipeline

    jieba.setLogLevel(logging.ERROR)
    model = make_pipeline(
        TfidfVectorizer(
            tokenizer=tokens, token_pattern=None, ngram_range=(1, 2), sublinear_tf=True
        ),
        LogisticRegression(max_iter=5_000, class_weight="balanced"),
    )
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    search = GridSearchCV(model, {"logisticregression__C": STRENGTHS}, cv=folds).fit(
        [row["clause"] for row in develop], [row["tool_first"] for row in develop]
    )
    return list(search.predict(clauses)), float(search.best_params_["logisticregression__C"])


def main() -> None:
    """One line per classifier on the measured half; the learned one also turned round: trained on
    that half, judged on the other.
    """
    develop, measured = read_labelled()
    truth, clauses = [row["tool_first"] for row in measured], [row["clause"] for row in measured]
    lexicon = [tool for _, tool, _ in classify_clauses(clauses, find_lexicon())]
    print(json.dumps({"name": "lexicon", **score(truth, lexicon)}), flush=True)
    labels, strength = learned_labels(develop, clauses)
    print(json.dumps({"name": "tfidf_logistic", "c": strength, **score(truth, labels)}), flush=True)
    labels, strength = learned_labels(measured, [row["clause"] for row in develop])
    swapped = score([row["tool_first"] for row in develop], labels)
    print(json.dumps({"name": "tfidf_logistic_swapped", "c": strength, **swapped}), flush=True)


if __name__ == "__main__":
    main()
