"""What the engine is held to, and whether it was met: figures of one side-by-side run."""

from dataclasses import dataclass

# Stages of a run that compute no features. Everything else is the feature stage.
OTHER_STAGES = {"open inputs", "lines", "issued", "score and decide", "gates", "write"}


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
    """Seconds of the feature stage; on one thread, CPU seconds."""
    return sum(seconds for stage, seconds in taken.stages.items() if stage not in OTHER_STAGES)


def targets(taken, facts, smaller=None):
    """Every target whose pieces were measured. `smaller` is what was measured on a smaller book."""
    found = []

    def target(judge, *needed):
        if all(key in taken for key in needed):
            found.append(judge(*(taken[key] for key in needed)))

    accounts = facts["accounts"]
    target(lambda run, decode, encode: at_most(
        "from scratch, CPU: × the floor of decoding and encoding",
        run.cpu_seconds / (decode.cpu_seconds + encode.cpu_seconds), 2.5,
    ), "scratch", "decode floor", "encode floor")
    for peer in "duckdb", "polars":
        target(lambda run, other: at_least(
            f"from scratch, wall: × faster than {peer}", other.wall_seconds / run.wall_seconds, 8,
        ), "scratch", peer)
    target(lambda run: at_most(
        "from scratch, peak memory: 700 bytes an account and 300 MB",
        run.peak_bytes / 1e6, (700 * accounts + 300e6) / 1e6, " MB",
    ), "scratch")
    target(lambda run, night: at_least(
        "a night's feature stage: × less CPU than from scratch (1 thread)",
        feature_seconds(run) / max(feature_seconds(night), 1e-9), 15,
    ), "scratch, 1 thread", "night, 1 thread")
    # Its state is read once, its outputs to be hashed; the rest is history, every file's footer included.
    target(lambda night: at_most(
        "a night: share of the history's bytes read",
        100 * max(0, (night.read_bytes or 0) - facts["night_other_bytes"]) / facts["history_bytes"], 4, " %",
    ), "night")
    target(lambda night, floor: at_most(
        "a night, CPU: × the floor of writing its tables and state",
        night.cpu_seconds / floor.cpu_seconds, 2,
    ), "night", "night floor")
    target(lambda night, other: at_least(
        "a night, wall: × faster than duckdb", other.wall_seconds / night.wall_seconds, 25,
    ), "night", "duckdb")
    target(lambda nights, run: at_most(
        "a range of nights, wall: × one run from scratch", nights.wall_seconds / run.wall_seconds, 8,
    ), "range", "scratch")
    target(lambda alone, run: at_least(
        "all cores, wall: × one thread's speed", alone.wall_seconds / run.wall_seconds, 1.7,
    ), "scratch, 1 thread", "scratch")
    if smaller:
        before = smaller["taken"]["scratch"]["wall_seconds"] / smaller["facts"]["transactions"]
        target(lambda run: at_most(
            "growth: time per transaction, × the smaller book's",
            run.wall_seconds / facts["transactions"] / before, 1.3,
        ), "scratch")
        target(lambda run: at_most("growth: peak memory", run.peak_bytes / 1e9, 8, " GB"), "scratch")
    return found
