"""rescore, a nightly batch rescoring pipeline: this package carries its binary, and runs it on Apache Spark."""

import os
import shutil
import sysconfig
from pathlib import Path


def find_binary():
    """The path of the program: what RESCORE_BINARY names, else the wheel's, else the one on PATH; None where none is."""
    if named := os.environ.get("RESCORE_BINARY"):
        return named
    beside = Path(__file__).resolve().parent.parent / "bin"  # pip install --target
    for directory in (sysconfig.get_path("scripts"), beside):
        candidate = Path(directory) / "rescore"
        if os.access(candidate, os.X_OK):
            return str(candidate)
    return shutil.which("rescore")
