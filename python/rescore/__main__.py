"""`python -m rescore …` is `rescore …`."""

import os
import sys

from rescore import find_binary

program = find_binary()
if program is None:
    sys.exit("rescore: there is no program: install the wheel, or name one by RESCORE_BINARY")
os.execv(program, [program, *sys.argv[1:]])
