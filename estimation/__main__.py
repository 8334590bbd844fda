"""``python -m estimation``."""

import sys

from estimation.cli import main

sys.exit(main())
