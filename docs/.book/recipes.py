#!/usr/bin/env python3
"""Reads a night's outputs as docs/recipes.md says: every SQL and Python block of it, but Spark's.

    docs/.book/recipes.py target/release/rescore

Runs the two nights of the sample book in a directory of its own, with the program given, and ends with 1
at the first block that fails.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb

PROJECT = Path(__file__).resolve().parents[2]
NIGHTS = ("first-night", "2026-11-19"), ("nightly", "2026-11-20")


def blocks(page):
    """The language and text of every block of a page that is to be run."""
    found = re.findall(r"^```(sql|python|sh)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return [(language, text) for language, text in found if "pyspark" not in text]


def main():
    program = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as home:
        for part in "jobs", "sample_data":
            shutil.copytree(PROJECT / part, Path(home) / part)
        bin_directory = Path(home) / "bin"
        bin_directory.mkdir()
        (bin_directory / "rescore").symlink_to(program)
        os.environ["PATH"] = f"{bin_directory}:{os.environ['PATH']}"
        os.chdir(home)
        for job, date in NIGHTS:
            run = ["rescore", "run", f"jobs/{job}.toml", "--date", date, "--quiet"]
            subprocess.run(run, check=True, stdout=subprocess.DEVNULL)
        for language, text in blocks((PROJECT / "docs/recipes.md").read_text()):
            print(f"--- {text.strip().splitlines()[0]}", flush=True)
            if language == "sql":
                rows = duckdb.sql(text).fetchall()
                if not rows:
                    sys.exit(f"no rows:\n{text}")
            elif language == "python":
                exec(compile(text, "docs/recipes.md", "exec"), {"__name__": "recipe"})
            else:
                subprocess.run(["sh", "-ec", text], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
