"""`python -m orchestration COMMAND`: the older form of `citysync COMMAND`; scripts call it."""

import sys

from orchestration.command import main
from orchestration.supervision import hold_signals

if __name__ == "__main__":
    hold_signals()
    sys.exit(main())
