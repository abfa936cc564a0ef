"""Runs nights of rescore on Apache Spark: the tasks of each step side by side on executors, the rest on the driver.

    python -m rescore.spark run JOB --date D --parts N --work DIR
    python -m rescore.spark release OUT --date D

All that is computed, checked and published is so by the program, `rescore step`; here its tasks are handed out. A task is
a row of a DataFrame and a partition of its own. It runs the program, and answers with its exit code and its report, a line
of JSON that the steps after it are given. What the program refuses ends the night with its exit code, and is not tried
again; what Spark loses, Spark tries again, which is harmless: a task done twice has made the same.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

from rescore.tasks import FAULT, Ended, on_spark, program, report_of, version_of

HELD = 4


class Driver:
    """Leads nights through their steps. `do_all` does the tasks of a step: on Spark, or in tests on this machine."""

    def __init__(self, do_all, quiet=False, memory=None):
        self.do_all = do_all
        self.quiet = quiet
        self.memory = memory
        self.binary = program()
        self.version = version_of(self.binary)

    def say(self, text):
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)

    def one(self, arguments, reports=()):
        """A step that is one task, on the driver: its report. What it says goes where the driver's messages go."""
        command = [self.binary, "step", *arguments]
        done = subprocess.run(command, input=lines(reports), stdout=subprocess.PIPE, check=False)
        if not done.stdout.strip() and done.returncode != 0:
            raise Ended(done.returncode)
        return {"exit": done.returncode} | report_of(done.stdout, arguments[0])

    def many(self, step, count, planned, shared=(), own=None):
        """The tasks of a step: their reports in order. `shared` are reports that each of them is given, `own` one for
        each."""
        if count == 0:
            return []
        started = time.monotonic()
        work = {
            "step": step,
            "plan": planned["plan"],
            "parts": planned["parts"],
            "version": self.version,
            "binary": os.environ.get("RESCORE_BINARY"),
            "memory": self.memory,
            "shared": lines(shared),
            "own": own and [lines([report]) for report in own],
        }
        # One a task, however often Spark has tried it.
        rows = {row["task"]: row for row in self.do_all(work, count)}
        for task, row in sorted(rows.items()):
            for line in row["messages"].splitlines():
                print(f"[{step} {task} on {row['host']}] {line}", file=sys.stderr, flush=True)
        for _, row in sorted(rows.items()):
            if row["exit"] != 0:
                raise Ended(row["exit"])
        if sorted(rows) != list(range(count)):
            raise Ended(FAULT, f"{step}: {len(rows)} of {count} tasks have answered")
        self.say(f"{step}: {count} tasks, {time.monotonic() - started:.1f} s")
        return [json.loads(rows[task]["report"]) for task in range(count)]

    def plan(self, arguments):
        """Freezes a night: the plan's report."""
        return self.one(["plan", *arguments])

    def steps(self, planned):
        """The steps of a night after its plan: its exit code."""
        if planned.get("done"):
            return planned["exit"]
        plan = planned["plan"]
        keys = self.many("keys", planned["keys"], planned)
        sort = self.many("sort", planned["sort"], planned, shared=keys)
        part = self.many("part", planned["parts"], planned, shared=sort)
        cut = self.one(["cut", "--plan", plan], part)
        finish = self.many("finish", planned["parts"], planned, shared=[cut], own=part)
        return self.one(["commit", "--plan", plan], [*sort, *part, cut, *finish])["exit"]


def lines(reports):
    return "".join(json.dumps(report) + "\n" for report in reports).encode()


def run_nights(driver, options):
    """The nights in order, each published before the next is planned: the exit code. One that a gate holds stops
    nothing, any other failure ends the range."""
    code = 0
    for night in nights(options):
        arguments = [options.job, *asked_of_a_run(options, night), "--parts", str(options.parts), "--work", options.work]
        arguments += ["--key-shards", str(options.key_shards)] if options.key_shards else []
        status = {"night": str(night), "exit": 0, "plan": None}
        try:
            planned = driver.plan(arguments)
            status["plan"] = planned.get("plan")
            status["exit"] = driver.steps(planned)
        except Ended as ended:
            status["exit"] = ended.code
            if str(ended):
                print(f"rescore.spark: {ended}", file=sys.stderr)
        if status["plan"]:
            write_status(status["plan"].rsplit("/", 1)[0], status)
        write_status(options.work, status)
        driver.say(f"night of {night}: exit {status['exit']}")
        code = status["exit"] or code
        if status["exit"] not in (0, HELD):
            break
    return code


def nights(options):
    if options.date:
        return [options.date]
    return [options.first + timedelta(days) for days in range((options.last - options.first).days + 1)]


def asked_of_a_run(options, night=None):
    """The arguments that `rescore run` has, too; of one night of a range those of that night."""
    asked = {
        "--date": night or options.date,
        "--known-on": options.known_on,
        "--from": None if night else options.first,
        "--to": None if night else options.last,
        "--out": options.out,
    }
    given = [text for name, value in asked.items() if value for text in (name, str(value))]
    return given + (["--replace"] if options.replace else [])


def write_status(directory, status):
    """Writes `status.json` into a directory, plain or of an object store; where that fails it is said, and no more."""
    path, text = f"{directory}/status.json", json.dumps(status) + "\n"
    try:
        if "://" not in path:
            Path(directory).mkdir(parents=True, exist_ok=True)
            Path(path).write_text(text)
            return
        from pyarrow import fs

        scheme, key = path.split("://", 1)
        if scheme == "az":
            store = fs.AzureFileSystem(os.environ["AZURE_STORAGE_ACCOUNT_NAME"])
        else:
            store, key = fs.FileSystem.from_uri(path)
        with store.open_output_stream(key) as stream:
            stream.write(text.encode())
    except Exception as error:  # whatever the library of a store raises: the night is as it is
        print(f"rescore.spark: {path} cannot be written: {error}", file=sys.stderr)


def parse(arguments):
    parser = argparse.ArgumentParser(prog="python -m rescore.spark", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run nights on Spark, and publish")
    run.add_argument("job", help="the job file")
    run.add_argument("--date", type=date.fromisoformat, help="the as-of date D")
    run.add_argument("--known-on", type=date.fromisoformat, help="the known-on date K, not before D; D otherwise")
    run.add_argument("--from", type=date.fromisoformat, dest="first", help="a range: every day from this one")
    run.add_argument("--to", type=date.fromisoformat, dest="last", help="the last day of the range")
    run.add_argument("--parts", type=int, help="into how many ranges of accounts the work is cut")
    run.add_argument("--key-shards", type=int, help="into how many shards the keys of a `unique` column are cut; 1 otherwise")
    run.add_argument("--memory", help="what a task may take, as in 4GB: a delivery is sorted in runs that fill half of it")
    run.add_argument("--work", help="where tasks leave what later ones read: a directory or URL that all machines see")
    run.add_argument("--out", help="publish below this directory instead of the job's")
    run.add_argument("--replace", action="store_true", help="run again what is published already, and replace it")
    run.add_argument("--plan", action="store_true", help="only say what would be read and done; publish nothing")
    run.add_argument("--quiet", action="store_true", help="say only what went wrong")
    commands.add_parser("release", help="publish a held run, unchanged: `rescore release`")
    options = parser.parse_args(arguments)
    if (options.date is None) == (options.first is None) or (options.first is None) != (options.last is None):
        parser.error("name a --date, or --from and --to")
    if options.first and options.known_on:
        parser.error("--known-on is of one --date")
    if not options.plan and (options.parts is None or options.work is None):
        parser.error("name --parts and --work")
    return options


def main(arguments=None):
    """The command line: its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        if arguments[:1] == ["release"]:
            return subprocess.call([program(), *arguments])
        options = parse(arguments)
        if options.plan:
            return subprocess.call([program(), "run", options.job, *asked_of_a_run(options), "--plan"])
        program()
        from pyspark.sql import SparkSession

        is_ours = SparkSession.getActiveSession() is None
        spark = SparkSession.builder.appName(f"rescore {options.job}").getOrCreate()
        try:
            return run_nights(Driver(on_spark(spark), options.quiet, options.memory), options)
        finally:
            if is_ours:
                spark.stop()
    except Ended as ended:
        print(f"rescore.spark: {ended}", file=sys.stderr)
        return ended.code


if __name__ == "__main__":
    sys.exit(main())
