"""Compare a run once with the last publication; how large a loss may be is in
`warehouse/publication/losses.py`.

The stages of estimates and publication both call it: in the UI a run may begin at either.
"""

from __future__ import annotations

from orchestration.run import Run
from orchestration.settings import number
from orchestration.terminal import progress
from warehouse.publication.losses import refuse_losses


def require_no_loss(run: Run) -> None:
    """Stop a run whose build lacks too much of the current publication, unless CONFIRM_SHRINK=1.

    It is checked once in a run, since no later stage changes what is counted.

    Raises
    ------
    PublicationLoses
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
    for sentence in refuse_losses(home.published, home.build, now, confirmed=is_confirmed):
        progress(f"  loss: {sentence}")
    run.is_without_loss = True
