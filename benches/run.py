#!/usr/bin/env python3
"""Measures rescore beside the floor and its peers, checks that all agree, and prints one table.

    cargo build --release --bin rescore --example floor
    python3 -m pip install -r benches/requirements.txt
    benches/run.py --accounts 1000000 --days 365

Nothing is built here: target/release/rescore and target/release/examples/floor are run as they are.
Every piece of work is a process of its own. It ends with 1 where the peers' features or scores, or
those of a night or a range, differ from a run from scratch in any value; with --strict also where a
target is missed. Work that this build of rescore cannot do yet is named and left out.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tomllib
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path

import book as books
import measure
from targets import targets

HERE = Path(__file__).resolve().parent
TABLES = "scores", "features", "decisions", "adjustments", "rejects"


# The exit code of a run that a gate holds: a night's work all the same.
HELD = 4


@dataclass
class Taken:
    """What a piece of work took."""

    what: str
    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int | None = None
    read_bytes: int | None = None
    exit: int = 0
    note: str = ""
    stages: dict = field(default_factory=dict)


def output(command, **options):
    """What a command prints."""
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, **options).stdout


def run_of(out, day):
    """Where a day's run lies, published or held."""
    held = out / "held" / f"date={day}"
    return held if held.exists() else out / f"date={day}"


class Bench:
    """What all pieces of work share, and what they took so far."""

    def __init__(self, arguments):
        self.work, self.as_of = arguments.work.resolve(), arguments.to
        self.rescore, self.floor = arguments.rescore.resolve(), arguments.floor.resolve()
        self.range_nights, self.memory = arguments.range_nights, arguments.memory
        self.help = output([self.rescore, "run", "--help"])
        self.verbs = output([self.rescore, "--help"])
        sample = arguments.sample
        if sample is None:
            first = self.as_of - timedelta(arguments.days - 1)
            sample = books.sample(self.rescore, self.work, arguments.accounts, first, self.as_of, arguments.seed)
        self.sample = sample
        self.book = books.with_snapshots(sample, self.work, self.as_of - timedelta(self.range_nights), self.as_of)
        self.taken = {}         # by key
        self.facts = {}         # figures that are not what something took
        self.left_out = []

    def add(self, key, taken):
        self.taken[key] = taken
        print(row(taken), file=sys.stderr, flush=True)

    def leave_out(self, what, why):
        self.left_out.append(f"{what}: {why}")
        print(f"left out: {what}: {why}", file=sys.stderr, flush=True)

    def run(self, key, what, job, out, dates, *options, threads=None):
        """Runs rescore and measures it."""
        if "--from-scratch" in options and "--from-scratch" not in self.help:
            options = [option for option in options if option != "--from-scratch"]
        command = [self.rescore, "run", job, *dates, *options, "--quiet"]
        command += ["--threads", threads] if threads else []
        taken = Taken(what, **measure.run(command, self.work / f"log/{key}.log", allowed=(0, HELD)))
        directory = run_of(out, self.as_of)
        if directory.exists():
            taken.stages = dict(json.loads((directory / "manifest.json").read_text())["timing"]["stages"])
        taken.note = "a gate holds it" if taken.exit == HELD else ""
        return taken, directory

    def fresh(self, name):
        """The shipped job with an output of its own, empty; its file and its output."""
        job, out = books.job(self.work, name, self.book)
        shutil.rmtree(out, ignore_errors=True)
        return job, out


def from_scratch(bench):
    """A whole run without state, on all cores."""
    job, out = bench.fresh("scratch")
    today = ["--date", bench.as_of]
    taken, bench.scratch = bench.run("scratch", "from scratch", job, out, today, "--from-scratch")
    manifest = json.loads((bench.scratch / "manifest.json").read_text())
    bench.facts["accounts"] = manifest["control_totals"]["accounts"]
    history = [file for file in manifest["inputs"] if file["input"] in ("transactions", "repayments")]
    bench.facts["history_bytes"] = sum(file["size"] for file in history)
    bench.facts["transactions"] = sum(file["rows"] for file in history if file["input"] == "transactions")
    bench.facts["repayments"] = sum(file["rows"] for file in history if file["input"] == "repayments")
    bench.inputs = manifest["inputs"]
    bench.add("scratch", taken)


def floors(bench):
    """Decoding what the run from scratch had to read, encoding what it wrote; the best of three."""
    import pyarrow.parquet as pq

    scorecard = tomllib.loads((bench.scratch / "scorecard.toml").read_text())
    job = tomllib.loads((bench.scratch / "job.toml").read_text())
    unique = [spec["column"] for spec in job.get("unique", {}).values()]
    some = books.files(bench.book, "transactions")[-1]
    columns = books.columns_read(scorecard, pq.read_schema(some).names, unique)
    read = [file for file in bench.inputs if file["input"] in columns]
    lines = [f"{bench.book / file['input'] / file['file']}\t{','.join(columns[file['input']])}" for file in read]
    bench.add("decode floor", floor(bench, "decode", "floor: decode", lines))
    bench.add("encode floor", floor(bench, "encode", "floor: encode the tables", tables_of(bench.scratch)))


def floor(bench, work, what, lines):
    stdin = "".join(f"{line}\n" for line in lines)
    found = [json.loads(output([bench.floor, work], input=stdin)) for _ in range(3)]
    best = min(found, key=lambda one: one["cpu_seconds"])
    note = f"{best['files']} files, {best['rows']:,} rows, {best['bytes'] / 1e6:,.1f} MB"
    return Taken(what, best["wall_seconds"], best["cpu_seconds"], note=note)


def tables_of(run):
    return [run / f"{table}.parquet" for table in TABLES]


def night(bench):
    """A night with yesterday's state, on all cores and on one; and from scratch on one, which must agree."""
    yesterday = ["--date", bench.as_of - timedelta(1)]
    job, out = bench.fresh("night")
    setup, _ = bench.run("yesterday", "yesterday", job, out, yesterday)
    bench.facts["yesterday"] = asdict(setup)
    alone_job, alone_out = bench.fresh("night-1-thread")
    shutil.copytree(out, alone_out)

    today = ["--date", bench.as_of]
    state = [file for file in (out / ".state").rglob("*") if file.is_file()]
    bench.facts["state_bytes"] = sum(file.stat().st_size for file in state)
    bench.facts["night_plan"] = planned(bench, job, today)
    taken, run = bench.run("night", "a night with yesterday's state", job, out, today)
    if plan := bench.facts["night_plan"]:
        taken.note = " ".join([taken.note, f"from {plan['from']}: {plan['why']}" if plan.get("why") else ""]).strip()
    bench.add("night", taken)
    manifest = json.loads((run / "manifest.json").read_text())
    today_only = [file["size"] for file in manifest["inputs"] if file["input"] in ("lines", "issued")]
    hashed = [output["bytes"] for output in manifest["outputs"]]
    bench.facts["night_other_bytes"] = bench.facts["state_bytes"] + sum(today_only) + sum(hashed)
    written = [file for file in (out / ".state").rglob("*.parquet") if file not in state]
    taken, alone = bench.run("night-1-thread", "a night, 1 thread", alone_job, alone_out, today, threads=1)
    bench.add("night, 1 thread", taken)
    encoded = floor(bench, "encode", "floor: encode its tables and state", [*tables_of(run), *written])
    bench.add("night floor", encoded)
    # It reads the same earlier adjustments; only the state is not used, nor all cores.
    check = bench.work / "out" / "check"
    shutil.rmtree(check, ignore_errors=True)
    today += ["--out", check]
    what = "from scratch, 1 thread"
    taken, scratch = bench.run("scratch-1-thread", what, job, check, today, "--from-scratch", threads=1)
    bench.add("scratch, 1 thread", taken)
    same_bytes("the night", run, scratch)
    same_bytes("the night, 1 thread", alone, scratch)


def planned(bench, job, dates):
    """What `--plan` says of a night: from state or from scratch, why, and the bytes to read."""
    if "--plan" not in bench.help:
        return None
    command = [bench.rescore, "run", job, *map(str, dates), "--plan", "--json"]
    return json.loads(output(command))[-1]


def nights(bench):
    """A range of nights, everything published, from nothing."""
    first = bench.as_of - timedelta(bench.range_nights - 1)
    what = f"a range of {bench.range_nights} nights"
    if "--from " not in bench.help:
        return bench.leave_out(what, "this build knows no --from")
    job, out = bench.fresh("range")
    taken, last = bench.run("range", what, job, out, ["--from", first, "--to", bench.as_of])
    bench.add("range", taken)
    check = bench.work / "out" / "check-range"
    shutil.rmtree(check, ignore_errors=True)
    today = ["--date", bench.as_of, "--out", check]
    _, scratch = bench.run("range-check", what, job, check, today, "--from-scratch")
    same_bytes(what, last, scratch)
    for directory in out, check:
        shutil.rmtree(directory)


def same_bytes(what, left, right):
    """Whether two runs published the same tables, byte for byte."""
    for table in tables_of(left):
        if table.read_bytes() != (right / table.name).read_bytes():
            raise measure.Failed(f"{what}: {table} differs from {right / table.name}")


def duckdb(bench):
    peer(bench, "duckdb", "DuckDB", ["--memory", bench.memory])


def polars(bench):
    peer(bench, "polars", "polars, streaming", [])


def peer(bench, name, what, options):
    """The same features and scores by another engine; every value must be ours."""
    out = bench.work / "out" / name
    shutil.rmtree(out, ignore_errors=True)
    script = HERE / "peers" / f"{name}_peer.py"
    command = [sys.executable, script, bench.sample, bench.scratch / "scorecard.toml", out, "--date", bench.as_of]
    bench.add(name, Taken(what, **measure.run([*command, *options], bench.work / f"log/{name}.log")))
    for table in "features", "scores":
        same_values(what, bench.scratch / f"{table}.parquet", out / f"{table}.parquet")


def same_values(what, ours, theirs):
    """Whether a peer's table has our columns, types, rows and values."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    left, right = pq.read_table(ours, partitioning=None), pq.read_table(theirs, partitioning=None)
    plain = {pa.large_string(): pa.string()}
    fields = [pa.field(field.name, plain.get(field.type, field.type)) for field in right.schema]
    kinds = [pa.field(field.name, field.type) for field in left.schema]
    if fields != kinds or left.num_rows != right.num_rows:
        raise measure.Failed(f"{what}: {theirs} has other columns, types or rows than {ours}")
    right = right.cast(pa.schema(fields))
    for column in left.column_names:
        if not left[column].equals(right[column]):
            rows = zip(left["account_id"], left[column], right[column])
            account, our, their = next(row for row in rows if row[1].as_py() != row[2].as_py())
            raise measure.Failed(f"{what}: {column} of account {account} is {their}, ours is {our}")


# Peers of `rescore diff`: by label, the script below peers/ that compares the runs LEFT and RIGHT.
DIFF_PEERS = {}


def diff(bench):
    """What changed between the night and the night before; needs the row `night`."""
    left, right = (run_of(bench.work / "out/night", bench.as_of - timedelta(age)) for age in (1, 0))
    if "  diff " not in bench.verbs:
        return bench.leave_out("diff of two runs", "this build knows no diff")
    if not (left.exists() and right.exists()):
        return bench.leave_out("diff of two runs", "the row `night` is not there")
    comparers = {"rescore": [bench.rescore, "diff", left, right, "--summary"]}
    for label, script in DIFF_PEERS.items():
        comparers[label] = [sys.executable, HERE / "peers" / script, left, right]
    for label, command in comparers.items():
        log = bench.work / f"log/diff-{label}.log"
        bench.add(f"diff, {label}", Taken(f"diff of two runs: {label}", **measure.run(command, log, allowed=(0, 1))))


# What is measured, in this order; --only picks by name. All but the first need `scratch`.
PIECES = {
    "scratch": from_scratch,
    "floor": floors,
    "night": night,
    "range": nights,
    "duckdb": duckdb,
    "polars": polars,
    "diff": diff,
}
PEERS = "duckdb", "polars"

HEADER = f"{'':40} {'wall s':>9} {'CPU s':>9} {'peak MB':>9} {'read MB':>9}"


def row(taken):
    peak, read = ("" if size is None else f"{size / 1e6:,.1f}" for size in (taken.peak_bytes, taken.read_bytes))
    figures = f"{taken.wall_seconds:9.2f} {taken.cpu_seconds:9.2f} {peak:>9} {read:>9}"
    return f"{taken.what:40} {figures}  {taken.note}".rstrip()


def report(bench, met):
    """The table, and the targets."""
    size = ", ".join(f"{bench.facts[what]:,} {what}" for what in ("accounts", "transactions", "repayments"))
    print(f"\n{size}, as of {bench.as_of}\n{HEADER}")
    for taken in bench.taken.values():
        print(row(taken))
    for line in bench.left_out:
        print(f"left out: {line}")
    print(f"\n{'target':66} {'bound':>12} {'figure':>12}")
    for target in met:
        print(f"{target.what:66} {target.bound:>12} {target.figure:>12}  {'met' if target.met else 'MISSED'}")


def machine():
    """What the figures were measured on."""
    import duckdb, polars, pyarrow      # noqa: E401

    versions = {module.__name__: module.__version__ for module in (duckdb, polars, pyarrow)}
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cores = len(os.sched_getaffinity(0))
    return {"cores": cores, "memory_bytes": memory, "system": platform.platform(), **versions}


def parse():
    """The arguments, and which pieces to measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )

    def option(name, help, **settings):
        parser.add_argument(f"--{name}", help=help, **settings)

    built, day = books.PROJECT / "target/release", date.fromisoformat
    option("accounts", "of the sample, which is made once", type=int, default=100_000)
    option("days", "deliveries of the sample", type=int, default=365)
    option("to", "its last delivery, and the as-of date", type=day, default=day("2026-11-20"), metavar="DATE")
    option("seed", "of the sample", type=int, default=1)
    option("sample", "a sample that is there already; it is only read", type=Path, metavar="DIR")
    option("range-nights", "nights of the range", type=int, default=30, metavar="N")
    option("work", "samples, outputs, logs", type=Path, default=books.PROJECT / "target/bench", metavar="DIR")
    option("rescore", "the program", type=Path, default=built / "rescore", metavar="FILE")
    option("floor", "the example", type=Path, default=built / "examples/floor", metavar="FILE")
    option("memory", "DuckDB's bound; it spills beyond", default="12GB", metavar="SIZE")
    option("only", f"some of {', '.join(PIECES)}", type=lambda text: text.split(","), metavar="NAME,…")
    option("skip-peers", "only rescore and the floor", action="store_true")
    option("smaller", "the --json of a smaller book: time per row must hold", type=Path, metavar="FILE")
    option("json", "write all figures there", type=Path, metavar="FILE")
    option("strict", "end with 1 where a target is missed", action="store_true")
    arguments = parser.parse_args()
    chosen = arguments.only or list(PIECES)
    if unknown := set(chosen) - set(PIECES):
        parser.error(f"--only knows no {', '.join(unknown)}")
    skipped = PEERS if arguments.skip_peers else ()
    return arguments, [name for name in PIECES if name == "scratch" or name in chosen and name not in skipped]


def main():
    arguments, chosen = parse()
    on = machine()
    arguments.work.mkdir(parents=True, exist_ok=True)
    bench = Bench(arguments)
    print(HEADER, file=sys.stderr)
    for name in chosen:
        PIECES[name](bench)
    smaller = json.loads(arguments.smaller.read_text()) if arguments.smaller else None
    met = targets(bench.taken, bench.facts, smaller)
    report(bench, met)
    if arguments.json:
        arguments.json.write_text(json.dumps({
            "machine": on,
            "facts": bench.facts,
            "taken": {key: asdict(taken) for key, taken in bench.taken.items()},
            "targets": [vars(target) for target in met],
            "left_out": bench.left_out,
        }, indent=2, default=str) + "\n")
    missed = [target for target in met if not target.met]
    return 1 if arguments.strict and missed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ModuleNotFoundError as error:
        sys.exit(f"{error}: python3 -m pip install -r {HERE / 'requirements.txt'}")
    except (measure.Failed, FileNotFoundError, subprocess.CalledProcessError) as error:
        sys.exit(f"benchmark: {error}")
