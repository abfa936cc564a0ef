#!/usr/bin/env python3
"""Measures rescore beside the floor and its peers, checks that all agree, and prints one table.

    cargo build --release --bin rescore --example floor
    python3 -m pip install -r benches/requirements.txt
    benches/run.py --accounts 1000000 --days 365

Nothing is built here: target/release/rescore and target/release/examples/floor are run as they are.
Every piece of work is a process of its own. It ends with 1 where the peers' features or scores, or
those of any night, range or list of accounts and days, differ from a run from scratch in any value;
with --strict also where a target is missed. A peer that is not installed is named and left out.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import book as books
import measure
from pieces import HERE, NEEDS, PEERS, PIECES, Bench
from targets import targets

HEADER = f"{'':42} {'wall s':>9} {'CPU s':>9} {'peak MB':>9} {'read MB':>9}"
# Of these it is told where the time goes: on one thread, wall time is CPU time.
BY_STAGE = "scratch, 1 thread", "night, 1 thread"


def report(bench, met):
    """The table, where the time goes, and the targets."""
    size = ", ".join(f"{bench.facts[what]:,} {what}" for what in ("accounts", "transactions", "repayments"))
    print(f"\n{size}, as of {bench.as_of}\n{HEADER}")
    for taken in bench.taken.values():
        print(taken.row())
    for line in bench.left_out:
        print(f"left out: {line}")
    for taken in (bench.taken[key] for key in BY_STAGE if key in bench.taken):
        total = sum(taken.stages.values())
        print(f"\n{taken.what + ', by stage':42} {'s':>9} {'%':>9}")
        for stage, seconds in taken.stages.items():
            print(f"{stage:42} {seconds:9.2f} {100 * seconds / total:9.1f}")
    print(f"\n{'target':66} {'bound':>12} {'figure':>12}")
    for target in met:
        print(f"{target.what:66} {target.bound:>12} {target.figure:>12}  {'met' if target.met else 'MISSED'}")


def machine():
    """What the figures were measured on."""
    versions = {}
    for package in "pyarrow", *PEERS:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            pass
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
    needed = {"scratch", *chosen, *(other for name in chosen for other in NEEDS.get(name, []))}
    skipped = PEERS if arguments.skip_peers else ()
    return arguments, [name for name in PIECES if name in needed and name not in skipped]


def main():
    arguments, chosen = parse()
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
            "machine": machine(),
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
