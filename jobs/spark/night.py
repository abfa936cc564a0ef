"""What spark-submit is given: the arguments are those of `python -m rescore.spark`."""

import sys

from rescore.spark import main

if code := main():
    sys.exit(code)
