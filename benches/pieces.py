"""The pieces of work that are measured, each as a process of its own, and the checks that all agree."""

import json
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import book as books
import measure

HERE = Path(__file__).resolve().parent
TABLES = "scores", "features", "decisions", "adjustments", "rejects"
# Inputs of which deliveries are sorted.
HISTORY = "transactions", "repayments"
# The exit code of a run that a gate holds: a night's work all the same.
HELD = 4
# A list of accounts and days: how many rows, over how many days, with a snapshot every so many days.
PAIRS, PAIRED_DAYS, SNAPSHOT_EVERY = 1_000_000, 300, 30


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

    def row(self):
        """As a row of the table."""
        peak, read = ("" if size is None else f"{size / 1e6:,.1f}" for size in (self.peak_bytes, self.read_bytes))
        figures = f"{self.wall_seconds:9.2f} {self.cpu_seconds:9.2f} {peak:>9} {read:>9}"
        return f"{self.what:42} {figures}  {self.note}".rstrip()


def output(command, **options):
    """What a command prints."""
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, **options).stdout


class Bench:
    """What all pieces of work share, and what they took so far."""

    def __init__(self, arguments):
        self.work, self.as_of = arguments.work.resolve(), arguments.to
        self.rescore, self.floor = arguments.rescore.resolve(), arguments.floor.resolve()
        self.range_nights, self.memory = arguments.range_nights, arguments.memory
        sample = arguments.sample
        if sample is None:
            first = self.as_of - timedelta(arguments.days - 1)
            sample = books.sample(self.rescore, self.work, arguments.accounts, first, self.as_of, arguments.seed)
        self.sample = sample
        self.first = books.delivery(books.files(sample, "transactions")[0])
        days = [self.day(age) for age in range(self.range_nights + 1)]
        self.book = books.with_snapshots(sample, self.work, "book", days)
        self.taken = {}         # by key
        self.facts = {"range_nights": self.range_nights}    # figures that are not what something took
        self.left_out = []
        # Directories of runs that later pieces are held against.
        self.scratch = self.arrival = self.night = None

    def day(self, age):
        """So many days before the as-of date."""
        return self.as_of - timedelta(age)

    def add(self, key, taken):
        self.taken[key] = taken
        print(taken.row(), file=sys.stderr, flush=True)

    def leave_out(self, what, why):
        self.left_out.append(f"{what}: {why}")
        print(f"left out: {what}: {why}", file=sys.stderr, flush=True)

    def job(self, name, book=None, like=None):
        """The shipped job over a book, with a new output directory: empty, or one that has what another has."""
        job, out = books.job(self.work, name, book or self.book)
        shutil.rmtree(out, ignore_errors=True)
        if like:
            # What is kept is linked: the program replaces it, and never writes in it.
            subprocess.run(["cp", "-al", self.work / "out" / like, out], check=True)
        return job, out

    def run(self, key, what, job, out, *options, day=None, known_on=None, threads=None):
        """Runs a night, or a range that ends with it, and measures that. Returns what it took and its directory."""
        day = day or self.as_of
        dates = [] if "--to" in options else ["--date", day]
        dates += ["--known-on", known_on] if known_on else []
        command = [self.rescore, "run", job, *dates, *options, "--out", out, "--quiet"]
        command += ["--threads", threads] if threads else []
        taken = Taken(what, **measure.run(command, self.log(key), allowed=(0, HELD)))
        base = out / "held" if taken.exit == HELD else out
        directory = (base / f"known={known_on}" if known_on else base) / f"date={day}"
        timing = manifest_of(directory)["timing"]
        taken.stages = dict(timing["stages"])
        taken.note = timing["basis"] + (", held by a gate" if taken.exit == HELD else "")
        return taken, directory

    def log(self, key):
        return self.work / "log" / f"{key.replace(' ', '-').replace(',', '')}.log"

    def check(self, what, job, run, **dates):
        """Holds a run against one from scratch, which sees the same earlier runs: the same bytes."""
        out = self.work / "out" / "check"
        shutil.rmtree(out, ignore_errors=True)
        _, scratch = self.run(f"check {what}", what, job, out, "--from-scratch", **dates)
        same_bytes(what, run, scratch)
        shutil.rmtree(out)


def manifest_of(run):
    return json.loads((run / "manifest.json").read_text())


def tables_of(run):
    return [run / f"{table}.parquet" for table in TABLES]


def same_bytes(what, left, right, tables=TABLES):
    """Whether two runs published the same tables, byte for byte."""
    for table in tables:
        one, other = left / f"{table}.parquet", right / f"{table}.parquet"
        if one.read_bytes() != other.read_bytes():
            raise measure.Failed(f"{what}: {one} differs from {other}")


def copies_of(out):
    """The sorted deliveries that were kept."""
    return list((out / ".state").rglob("*.sorted"))


def scratch(bench):
    """The first run: with sorted deliveries left for other runs, and with none kept."""
    job, out = bench.job("first")
    first, kept = bench.run("first", "first run, copies left", job, out)
    manifest = manifest_of(kept)
    history = [file for file in manifest["inputs"] if file["input"] in HISTORY]
    bench.facts["accounts"] = manifest["control_totals"]["accounts"]
    bench.facts["history_bytes"] = sum(file["size"] for file in history)
    for name in HISTORY:
        bench.facts[name] = sum(file["rows"] for file in history if file["input"] == name)
    bench.facts["copies_bytes"] = sum(file.stat().st_size for file in copies_of(out))
    bench.add("first", first)
    job, out = bench.job("scratch")
    taken, bench.scratch = bench.run("scratch", "from scratch, none kept", job, out, "--from-scratch")
    bench.add("scratch", taken)
    same_bytes(first.what, kept, bench.scratch)
    shutil.rmtree(bench.work / "out" / "first")


def threads(bench):
    """From scratch on one thread."""
    job, out = bench.job("scratch-1-thread")
    what = "from scratch, 1 thread"
    taken, run = bench.run("scratch, 1 thread", what, job, out, "--from-scratch", threads=1)
    bench.add("scratch, 1 thread", taken)
    same_bytes(what, run, bench.scratch)


def floors(bench):
    """Decoding what the run from scratch had to read, encoding what it wrote; the best of three."""
    bench.add("decode floor", decode_floor(bench, "floor: decode", bench.book, bench.scratch))
    bench.add("encode floor", floor(bench, "encode", "floor: encode the tables", tables_of(bench.scratch)))


def decode_floor(bench, what, book, run):
    import pyarrow.parquet as pq

    scorecard = tomllib.loads((run / "scorecard.toml").read_text())
    job = tomllib.loads((run / "job.toml").read_text())
    unique = [spec["column"] for spec in job.get("unique", {}).values()]
    columns = books.columns_read(scorecard, pq.read_schema(books.files(book, "transactions")[-1]).names, unique)
    read = [file for file in manifest_of(run)["inputs"] if file["input"] in columns]
    lines = [f"{book / file['input'] / file['file']}\t{','.join(columns[file['input']])}" for file in read]
    return floor(bench, "decode", what, lines)


def floor(bench, work, what, lines):
    stdin = "".join(f"{line}\n" for line in lines)
    found = [json.loads(output([bench.floor, work], input=stdin)) for _ in range(3)]
    best = min(found, key=lambda one: one["cpu_seconds"])
    note = f"{best['files']} files, {best['rows']:,} rows, {best['bytes'] / 1e6:,.1f} MB"
    return Taken(what, best["wall_seconds"], best["cpu_seconds"], note=note)


def arrival(bench):
    """The first run where the rows of deliveries are in order of arrival."""
    bench.arrival_sample = books.in_order_of_arrival(bench.sample, bench.work)
    book = books.with_snapshots(bench.arrival_sample, bench.work, "book-arrival", [bench.as_of])
    what = "in order of arrival"
    job, out = bench.job("arrival-first", book)
    first, kept = bench.run("arrival first", f"first run, {what}, copies left", job, out)
    bench.add("arrival first", first)
    job, out = bench.job("arrival", book)
    taken, bench.arrival = bench.run("arrival", f"from scratch, {what}", job, out, "--from-scratch")
    bench.add("arrival", taken)
    same_bytes(first.what, kept, bench.arrival)
    # Rejects tell at which row of its file each was.
    same_bytes(taken.what, bench.arrival, bench.scratch, ("scores", "features", "decisions", "adjustments"))
    bench.add("arrival decode floor", decode_floor(bench, f"floor: decode, {what}", book, bench.arrival))
    shutil.rmtree(bench.work / "out" / "arrival-first")


def night(bench):
    """A night that finds yesterday's sorted deliveries, on all cores and on one."""
    job, out = bench.job("yesterday")
    bench.run("yesterday", "yesterday", job, out, day=bench.day(1))
    job, out = bench.job("night", like="yesterday")
    plan = json.loads(output([bench.rescore, "run", job, "--date", str(bench.as_of), "--plan", "--json"]))[-1]
    taken, run = bench.run("night", "a night", job, out)
    bench.add("night", taken)
    planned = f"from {plan['sorted']} sorted deliveries, {len(plan['to_sort'])} to sort"
    if not taken.note.startswith(planned):
        raise measure.Failed(f"the night went {taken.note}, and the plan was {planned}")
    bench.check(taken.what, job, run)
    bench.night = run
    job, out = bench.job("night-1-thread", like="yesterday")
    taken, alone = bench.run("night, 1 thread", "a night, 1 thread", job, out, threads=1)
    bench.add("night, 1 thread", taken)
    same_bytes(taken.what, alone, run)


def others(bench):
    """Other nights that find yesterday's sorted deliveries: each of them once began from scratch."""
    def measured(key, what, job, out, **dates):
        taken, run = bench.run(key, what, job, out, **dates)
        bench.add(key, taken)
        bench.check(what, job, run, **dates)
        shutil.rmtree(out)

    job, out = bench.job("window", like="yesterday")
    books.shorten_a_window(job)
    measured("window", "a night, a window changed", job, out)
    job, out = bench.job("known-on", like="yesterday")
    dates = {"day": bench.day(1), "known_on": bench.as_of}
    measured("known-on", "yesterday, with what is known today", job, out, **dates)
    deliveries = (bench.as_of - bench.first).days
    book = books.restated(bench.book, bench.work, bench.day(deliveries // 2))
    job, out = bench.job("restated", book, like="yesterday")
    measured("restated", "a night, an old delivery restated", job, out)
    job, out = bench.job("month-back", like="yesterday")
    back = bench.range_nights
    measured("month back", f"a night {back} days back", job, out, day=bench.day(back))


def nights(bench):
    """A range of nights, everything published, from nothing."""
    what = f"a range of {bench.range_nights} nights"
    job, out = bench.job("range")
    span = ["--from", bench.day(bench.range_nights - 1), "--to", bench.as_of]
    taken, last = bench.run("range", what, job, out, *span)
    bench.add("range", taken)
    bench.check(what, job, last)
    shutil.rmtree(out)


def spine(bench):
    """Features of random accounts on random days, with the sorted deliveries of yesterday."""
    import pyarrow.parquet as pq

    last = min(PAIRED_DAYS, (bench.as_of - bench.first).days + 1) - 1
    days = [bench.day(age) for age in range(0, last + SNAPSHOT_EVERY, SNAPSHOT_EVERY)]
    book = books.with_snapshots(bench.sample, bench.work, "book-of-snapshots", days)
    file = bench.work / "pairs.parquet"
    rows = books.pairs(bench.scratch / "scores.parquet", file, bench.day(last), bench.as_of, PAIRS)
    job, out = bench.job("spine", book, like="yesterday")
    books.accept_older_snapshots(job, SNAPSHOT_EVERY)
    answered, again = (bench.work / "out" / f"spine-{name}.parquet" for name in ("answered", "again"))
    command = [bench.rescore, "features", job, "--spine", file, "--quiet", "--out"]
    taken = measure.run([*command, answered], bench.log("spine"))
    left_out = pq.read_table(answered, columns=["left_out"])["left_out"]
    what = f"{rows:,} accounts and days"
    bench.add("spine", Taken(what, **taken, note=f"{left_out.null_count:,} of them with features"))
    measure.run([*command, again, "--from-scratch"], bench.log("check spine"))
    if answered.read_bytes() != again.read_bytes():
        raise measure.Failed(f"{what}: {answered} differs from {again}")
    same_features(what, answered, bench.night / "features.parquet", bench.as_of)
    shutil.rmtree(out)


def same_features(what, answered, night, as_of):
    """Whether the rows of a day have the features that its run published."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    rows = pq.read_table(answered, partitioning=None)
    rows = rows.filter(pc.equal(rows["as_of"], as_of)).filter(pc.field("left_out").is_null())
    published = pq.read_table(night, partitioning=None)
    wanted = published.take(pc.index_in(rows["account_id"], published["account_id"]))
    for column in published.column_names:
        if not rows[column].equals(wanted[column]):
            raise measure.Failed(f"{what}: {column} of {as_of} differs from {night}")


def duckdb(bench):
    peer(bench, "duckdb", "DuckDB", ["--memory", bench.memory])


def polars(bench):
    peer(bench, "polars", "polars, streaming", [])


def peer(bench, name, what, options):
    """The same features and scores by another engine, in both orders; every value must be ours."""
    if not find_spec(name):
        return bench.leave_out(what, "it is not installed")
    orders = [(name, what, bench.sample, bench.scratch)]
    if bench.arrival:
        orders += [(f"arrival {name}", f"{what}, in order of arrival", bench.arrival_sample, bench.arrival)]
    for key, what, sample, ours in orders:
        out = bench.work / "out" / name
        shutil.rmtree(out, ignore_errors=True)
        script = HERE / "peers" / f"{name}_peer.py"
        command = [sys.executable, script, sample, ours / "scorecard.toml", out, "--date", bench.as_of, *options]
        bench.add(key, Taken(what, **measure.run(command, bench.log(key))))
        for table in "features", "scores":
            same_values(what, ours / f"{table}.parquet", out / f"{table}.parquet")


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


def diff(bench):
    """What changed between the night and the night before."""
    left = bench.work / "out/night" / f"date={bench.day(1)}"
    command = [bench.rescore, "diff", left, bench.night, "--summary"]
    bench.add("diff", Taken("diff of two nights", **measure.run(command, bench.log("diff"), allowed=(0, 1))))


# What is measured, in this order; --only picks by name.
PIECES = {
    "scratch": scratch,
    "threads": threads,
    "floor": floors,
    "arrival": arrival,
    "night": night,
    "others": others,
    "range": nights,
    "spine": spine,
    "duckdb": duckdb,
    "polars": polars,
    "diff": diff,
}
PEERS = "duckdb", "polars"
# What a piece needs besides.
NEEDS = {"others": ["night"], "spine": ["night"], "diff": ["night"]}
