#!/usr/bin/env python3
"""What a night on Spark costs beside a night of one process: CPU seconds, on this machine, with the same program.

    tests/spark/run PROGRAM test_driver                # makes target/python-spark
    target/python-spark/bin/python benches/spark.py --accounts 200000

Both work from the same book, first with nothing sorted, then with all that the first night has left. Of Spark, what it
takes to start and to stop is measured by itself and taken off. It fails where the ratio is above --bound, or where the
runs differ."""

import argparse
import contextlib
import ctypes
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
# The first night has nothing sorted; the night after it has all but its own deliveries.
NIGHTS = ("2026-11-18", "2026-11-19")
# Runs a program, and notes the step and its CPU time, user and system, in minutes and seconds.
METER = """#!/bin/sh
{program} "$@"
code=$?
if [ "$1" = step ]; then
    times > {log}.$$
    echo "$2 $(tail -n 1 {log}.$$)" >> {log}
    rm {log}.$$
fi
exit $code
"""
SESSION = """
from pyspark.sql import SparkSession
from rescore import spark, tasks
session = SparkSession.builder.getOrCreate()
work = {"step": "none", "plan": "/", "version": "", "binary": "/bin/false", "shared": b"", "own": None, "parts": 2}
tasks.on_spark(session)(work, 2)
session.stop()
"""


def cpu_of(command, **environment):
    """Runs a command: the CPU seconds of it and of all that it started, and those on the clock. Java outlives it."""
    started = time.monotonic()
    process = subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read().decode(errors="replace")
    _, status, used = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{command} has failed:\n{said[-3000:]}")
    wall, cpu = time.monotonic() - started, used.ru_utime + used.ru_stime
    with contextlib.suppress(ChildProcessError):
        while True:
            _, _, used = os.wait3(0)
            cpu += used.ru_utime + used.ru_stime
    return cpu, wall


def steps_of(log):
    """The CPU seconds of each step's programs."""
    seconds = {}
    for line in log.read_text().splitlines():
        step, *times = line.split()
        spent = (float(minutes) * 60 + float(rest) for minutes, rest in (t.rstrip("s").split("m") for t in times))
        seconds[step] = seconds.get(step, 0) + sum(spent)
    log.write_text("")
    return seconds


def prepare(options, home):
    """A book and a job without gates, for one process and for Spark each with a state of its own."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    book = options.book and Path(options.book).resolve()
    if book is None:
        book = home / "book"
        sample = ["sample", book, "--accounts", str(options.accounts), "--from", "2025-11-21", "--to", "2026-11-20"]
        subprocess.run([options.program, *sample, "--seed", "1"], check=True, stderr=subprocess.DEVNULL)
    shutil.copytree(PROJECT / "jobs", home / "jobs")
    text = (home / "jobs/nightly.toml").read_text().split("# ---- the inputs are")[0]
    text = "".join(line for line in text.splitlines(True) if not line.startswith(("issued", "previous")))
    for way in ("one", "spark"):
        mine = text.replace("../sample_data", str(book)).replace("../out", f"../{way}")
        (home / f"jobs/{way}.toml").write_text(mine)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=PROJECT / "target/release/rescore")
    parser.add_argument("--accounts", type=int, default=200_000)
    parser.add_argument("--book", help="a book that is there, instead of a sample")
    parser.add_argument("--parts", type=int, default=4)
    parser.add_argument("--bound", type=float, default=1.5)
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER: what children leave is waited for here
    home = PROJECT / "target/bench-spark"
    prepare(options, home)
    log, meter = home / "log", home / "meter"
    meter.write_text(METER.format(program=options.program, log=log))
    meter.chmod(0o755)
    log.write_text("")
    environment = {
        "PYTHONPATH": str(PROJECT / "python"),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_SUBMIT_ARGS": "--master local[2] --conf spark.ui.enabled=false pyspark-shell",
    }
    start_up, _ = cpu_of([sys.executable, "-c", SESSION], **environment)
    print(f"Spark started and stopped: {start_up:.1f} s of CPU, taken off below")
    worst = 0
    for night in NIGHTS:
        one, one_wall = cpu_of([options.program, "run", home / "jobs/one.toml", "--date", night, "--quiet"])
        cut_up = ["--parts", str(options.parts), "--work", str(home / "work")]
        command = [sys.executable, "-m", "rescore.spark", "run", str(home / "jobs/spark.toml"), "--date", night, *cut_up]
        spark, spark_wall = cpu_of(command, RESCORE_BINARY=str(meter), **environment)
        ratio = (spark - start_up) / one
        worst = max(worst, ratio)
        print(f"{night}: one process {one:.1f} s of CPU, {one_wall:.1f} s; Spark {spark - start_up:.1f} s, {spark_wall:.1f} s: {ratio:.2f} ×")
        steps = steps_of(log)
        print("   programs:", ", ".join(f"{step} {seconds:.1f} s" for step, seconds in steps.items()), f"together {sum(steps.values()):.1f} s")
        gathered = home / f"gathered/{night}"
        subprocess.run([options.program, "gather", home / f"spark/date={night}", "--out", gathered], check=True, stdout=subprocess.DEVNULL)
        for table in ("scores", "features", "decisions", "adjustments"):
            mine, theirs = (next(Path(at).rglob(f"date={night}/{table}.parquet")) for at in (home / "one", gathered))
            if mine.read_bytes() != theirs.read_bytes():
                sys.exit(f"{night}: {table} differ")
    if worst > options.bound:
        sys.exit(f"{worst:.2f} × is above {options.bound} ×")


if __name__ == "__main__":
    main()
