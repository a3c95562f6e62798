"""``python -m understudy.engine``."""

import sys

from understudy.engine.main import main

sys.exit(main())
