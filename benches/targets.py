"""What the engine is held to, and whether it was met: figures of one side-by-side run."""

from dataclasses import dataclass

# Stages of a run that compute no features. Everything else is the feature stage.
OTHER_STAGES = {"open inputs", "lines", "score and decide", "gates", "write"}

# Nights that find the sorted deliveries of the day before, and are no plain next night.
OTHER_NIGHTS = {
    "window": "a window changed",
    "known-on": "known-on",
    "restated": "an old delivery restated",
    "month back": "a month back",
}


@dataclass
class Target:
    """A figure, its bound, and whether it keeps to it."""

    what: str
    bound: str
    figure: str
    met: bool


def at_most(what, figure, bound, unit=""):
    return Target(what, f"≤ {bound:,.4g}{unit}", f"{figure:,.2f}{unit}", figure <= bound)


def at_least(what, figure, bound, unit=""):
    return Target(what, f"≥ {bound:,.4g}{unit}", f"{figure:,.2f}{unit}", figure >= bound)


def feature_seconds(taken):
    """Seconds of the feature stage."""
    return sum(seconds for stage, seconds in taken.stages.items() if stage not in OTHER_STAGES)


def targets(taken, facts, smaller=None):
    """Every target whose pieces were measured. `smaller` is what was measured on a smaller book."""
    found = []

    def target(judge, *needed):
        if all(key in taken for key in needed):
            found.append(judge(*(taken[key] for key in needed)))

    def of_floor(what, key, decode, bound):
        target(lambda run, decoded, encoded: at_most(
            f"{what}, CPU: × the floor", run.cpu_seconds / (decoded.cpu_seconds + encoded.cpu_seconds), bound,
        ), key, decode, "encode floor")

    def of_duckdb(what, key, bound, nights=1):
        target(lambda run, other: at_least(
            f"{what}, wall: × faster than DuckDB", nights * other.wall_seconds / run.wall_seconds, bound,
        ), key, "duckdb")

    of_floor("first run, copies left", "first", "decode floor", 4.5)
    of_floor("from scratch, none kept", "scratch", "decode floor", 3.5)
    of_floor("first run, in order of arrival, copies left", "arrival first", "arrival decode floor", 5.5)
    of_floor("from scratch, in order of arrival", "arrival", "arrival decode floor", 4.5)
    of_duckdb("a night", "night", 10)
    for key, what in OTHER_NIGHTS.items():
        of_duckdb(f"a night, {what}", key, 9)
    of_duckdb("a range of nights", "range", 17, nights=facts["range_nights"])
    target(lambda pairs, night: at_most(
        "accounts and days, wall: × the features of one night", pairs.wall_seconds / feature_seconds(night), 3,
    ), "spine", "night")
    target(lambda alone, run: at_least(
        "all cores, wall: × one thread's speed", alone.wall_seconds / run.wall_seconds, 1.8,
    ), "scratch, 1 thread", "scratch")
    target(lambda _: at_most(
        "copies: × the bytes of transactions and repayments", facts["copies_bytes"] / facts["history_bytes"], 1.3,
    ), "first")
    own = {key: run for key, run in taken.items() if run.peak_bytes and not key.endswith(("duckdb", "polars", "diff"))}
    most = max(own.values(), key=lambda run: run.peak_bytes)
    found.append(at_most(f"peak memory: {most.what}", most.peak_bytes / 1e9, 6 if smaller else 0.8, " GB"))
    if smaller:
        before = smaller["taken"]["first"]["wall_seconds"] / smaller["facts"]["transactions"]
        target(lambda run: at_most(
            "growth: time per transaction, × the smaller book's",
            run.wall_seconds / facts["transactions"] / before, 1.3,
        ), "first")
    return found
