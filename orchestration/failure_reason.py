"""Find why a run failed: a line and an exit code. Dagster keeps an error as text, so errors are
recognized here by the name of their class.
"""

from __future__ import annotations

from typing import Any

from orchestration.home import Home
from orchestration.machine_faults import explain_text
from orchestration.terminal import Exit, say
from warehouse.errors import Refused


def reason_of_failure(events: list[Any], home: Home) -> tuple[Exit, str]:
    """Return the exit code and the reason of a failed run, by the first rule that fits: what was
    refused, what would be lost, the gate that stopped it, a fault of the machine, any other error.
    """
    failures = [
        _causes(event.event_specific_data.error) for event in events if event.is_step_failure
    ]

    def reported_by(*names: str) -> list[str]:
        found = []
        for chain in failures:
            for name, text in chain:
                # what is wrong with the landing as a whole is reported by each source
                if name in names and text not in found:
                    found.append(text)
        return found

    # the class of an error that was raised in this process is loaded, so it is found here
    if refused := reported_by(*_names_of(Refused)):
        for text in refused:
            say(text)
        return Exit.BAD_INPUT, _one_line(" | ".join(refused))
    if losses := reported_by("PublicationLoses"):
        return Exit.FAILED, _one_line(losses[0])
    for event in events:
        if event.event_type_value == "ASSET_CHECK_EVALUATION":
            gate = event.asset_check_evaluation_data
            # a data test of dbt has no sentence of its own: its step says which one failed
            if gate.severity.value == "ERROR" and not gate.passed and gate.description:
                return Exit.FAILED, _one_line(f"{gate.check_name}: {gate.description}")
    for chain in failures:
        for _, text in reversed(chain):
            if sentence := explain_text(text, home.root):
                return Exit.BAD_INPUT, _one_line(sentence)
    name, text = next(
        (chain[-1] for chain in failures if chain),
        ("Failure", "the run failed without a message; see the run in `citysync ui`"),
    )
    return Exit.FAILED, _one_line(f"{name}: {text}")


def _causes(error: Any) -> list[tuple[str, str]]:
    """Return class name and message of an error and of its causes, the root cause last."""
    found = []
    while error is not None:
        found.append((error.cls_name, error.message.split(": ", 1)[-1].strip()))
        error = error.cause
    return found


def _names_of(kind: type[Exception]) -> set[str]:
    """Return the names of a class and of every class made from it."""
    names = {kind.__name__}
    for derived in kind.__subclasses__():
        names |= _names_of(derived)
    return names


def _one_line(text: str) -> str:
    return " ".join(text.split())[:1200]
