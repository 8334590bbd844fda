"""Whether a run would lose much of what the last publication holds."""

from __future__ import annotations

from orchestration.run import Run
from orchestration.run_settings import number
from orchestration.terminal import progress
from warehouse.publication.shrinkage import refuse_to_shrink


def require_no_loss(run: Run) -> None:
    """Stop a run that would lose much of what the publication before it holds, unless
    CONFIRM_SHRINK=1. A run is compared once, since no later stage changes what is counted.

    Raises
    ------
    PublicationShrinks
        With what would be gone.
    """
    if run.is_without_loss:
        return
    now = {
        "is_simulated": run.settings.is_simulated,
        "settings": run.settings.as_environment(),
    }
    is_confirmed = number("CONFIRM_SHRINK") == 1
    home = run.home
    for sentence in refuse_to_shrink(home.published, home.build, now, confirmed=is_confirmed):
        progress(f"  loss: {sentence}")
    run.is_without_loss = True
