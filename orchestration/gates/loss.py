"""The stop before a publication that would lose much of the one before; `shrinkage` says why it is
no suite of expectations.
"""

from __future__ import annotations

from orchestration.home import Home
from orchestration.resources import Settings
from orchestration.run_settings import number
from warehouse.publication.shrinkage import refuse_to_shrink


def require_no_loss(home: Home, settings: Settings) -> None:
    """Stop a run that would lose much of what the publication before it holds, unless
    CONFIRM_SHRINK=1.

    Raises
    ------
    PublicationShrinks
        With what would be gone.
    """
    run = {"is_simulated": settings.is_simulated, "settings": settings.as_environment()}
    refuse_to_shrink(home.published, home.build, run, confirmed=bool(number("CONFIRM_SHRINK")))
