#!/usr/bin/env python3
"""What a night on Spark costs beside a night of one process: CPU seconds, on this machine, with the same program.

    tests/spark/run PROGRAM test_driver                # makes target/python-spark
    target/python-spark/bin/python benches/spark.py --accounts 200000

Both work from the same book, first with nothing sorted, then with all that the first night has left. Of Java and Python,
what they take to start and to stop is measured by itself and taken off. It fails where the runs differ, and where the
programs of a night take more than --bound times what one process takes."""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
# The first night has nothing sorted; the night after it has all but its own deliveries.
NIGHTS = ("2026-11-18", "2026-11-19")
TICKS = os.sysconf("SC_CLK_TCK")
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


class Watch(threading.Thread):
    """Looks at processes below this one while they live: the CPU seconds that each of some kinds was last seen to have
    taken. Nobody waits for what Spark starts, so that the system does not add it up."""

    def __init__(self, kinds):
        super().__init__(daemon=True)
        self.kinds, self.seconds, self.ended = kinds, {}, threading.Event()
        self.start()

    def run(self):
        while not self.ended.wait(0.2):
            self.look()

    def look(self):
        ours, below = {os.getpid()}, {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                kind, fields = stat.read_text().split("(", 1)[1].rsplit(")", 1)
                fields = fields.split()
                below[int(stat.parent.name)] = kind, int(fields[1]), (int(fields[11]) + int(fields[12])) / TICKS
        found = True
        while found:
            found = {pid for pid, (_, parent, _) in below.items() if parent in ours} - ours
            ours |= found
        for pid in ours & below.keys():
            kind, _, seconds = below[pid]
            if kind.startswith(self.kinds):
                self.seconds[pid] = seconds

    def total(self):
        self.ended.set()
        self.join()
        return sum(self.seconds.values())


def run(command, **environment):
    """Runs a command: the CPU seconds of its own, those on the clock."""
    started = time.monotonic()
    process = subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read().decode(errors="replace")
    _, status, used = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{command} has failed:\n{said[-3000:]}")
    return used.ru_utime + used.ru_stime, time.monotonic() - started


def spark_cpu_of(command, **environment):
    """Runs a command that starts Spark: the CPU seconds of Java and Python, and those on the clock."""
    watch = Watch(("java", "python"))
    _, wall = run(command, **environment)
    return watch.total(), wall


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
    start_up, _ = spark_cpu_of([sys.executable, "-c", SESSION], **environment)
    print(f"Spark started and stopped: {start_up:.1f} s of CPU, taken off below")
    worst = 0
    for night in NIGHTS:
        one, one_wall = run([options.program, "run", home / "jobs/one.toml", "--date", night, "--quiet"])
        cut_up = ["--parts", str(options.parts), "--work", str(home / "work")]
        command = [sys.executable, "-m", "rescore.spark", "run", str(home / "jobs/spark.toml"), "--date", night, *cut_up]
        around, wall = spark_cpu_of(command, RESCORE_BINARY=str(meter), **environment)
        steps = steps_of(log)
        programs = sum(steps.values())
        worst = max(worst, programs / one)
        each = ", ".join(f"{step} {seconds:.1f} s" for step, seconds in steps.items())
        print(f"{night}: one process {one:.1f} s of CPU, {one_wall:.1f} s on the clock")
        print(f"    on Spark: programs {programs:.1f} s, {programs / one:.2f} × ({each})")
        print(f"    Java and Python {around - start_up:.1f} s; {wall:.1f} s on the clock")
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
