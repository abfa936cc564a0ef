#!/usr/bin/env python3
"""Compares two runs with rescore, datacompy (polars) and DuckDB: wall time, CPU time, peak memory.

Each does the same comparison of scores, features and decisions: rows only left, only right and on both
sides, and for every column how many cells differ; DuckDB and rescore also sum the differences, and rescore
besides says why. Every tool runs in a process of its own.

    pip install datacompy duckdb polars
    python3 benches/diff.py LEFT RIGHT --rescore target/release/rescore --repeat 3
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

TABLES = {
    "scores": ["account_id"],
    "features": ["account_id"],
    "decisions": ["account_id", "product"],
}
TARGETS = [("datacompy", 5), ("duckdb", 2)]
MOST_MEMORY_MB = 200


def datacompy_diff(left: Path, right: Path) -> None:
    """Compares table by table, as datacompy's own report does."""
    import datacompy
    import polars as pl

    for table, key in TABLES.items():
        frames = [pl.read_parquet(run / f"{table}.parquet") for run in (left, right)]
        compare = datacompy.PolarsCompare(*frames, join_columns=key)
        changed = {column["column"]: column["unequal_cnt"] for column in compare.column_stats}
        only_left, only_right = len(compare.df1_unq_rows), len(compare.df2_unq_rows)
        print(table, only_left, only_right, len(compare.intersect_rows), sum(changed.values()))


def duckdb_diff(left: Path, right: Path) -> None:
    """A full outer join by key, counted in one query a table."""
    import duckdb

    connection = duckdb.connect()
    for table, key in TABLES.items():
        paths = [str(run / f"{table}.parquet") for run in (left, right)]
        described = connection.execute(f"describe select * from '{paths[0]}'").fetchall()
        columns = [(name, kind) for name, kind, *_ in described if name not in key]
        parts = [
            f"count(*) filter (where r.{key[0]} is null) as only_left",
            f"count(*) filter (where l.{key[0]} is null) as only_right",
            f"count(*) filter (where l.{key[0]} is not null and r.{key[0]} is not null) as both_sides",
        ]
        both = f"l.{key[0]} is not null and r.{key[0]} is not null"
        for name, kind in columns:
            parts.append(f'count(*) filter (where {both} and l."{name}" is distinct from r."{name}")')
            if kind in ("BIGINT", "INTEGER"):
                parts.append(f'sum(r."{name}"::hugeint - l."{name}")')
                parts.append(f'max(abs(r."{name}"::hugeint - l."{name}"))')
        on = " and ".join(f"l.{name} = r.{name}" for name in key)
        query = f"select {', '.join(parts)} from '{paths[0]}' l full outer join '{paths[1]}' r on {on}"
        counts = connection.execute(query).fetchone()
        changed, place = 0, 3
        for _, kind in columns:
            changed += counts[place]
            place += 3 if kind in ("BIGINT", "INTEGER") else 1
        print(table, *counts[:3], changed)


def measured(command: list[str]) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak megabytes of a command, which may say that they differ."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - started
    code = os.waitstatus_to_exitcode(status)
    process.returncode = code
    if code not in (0, 1):
        sys.exit(f"{' '.join(command)} ended with {code}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("left", type=Path)
    parser.add_argument("right", type=Path)
    parser.add_argument("--rescore", default="target/release/rescore", help="the program")
    parser.add_argument("--repeat", type=int, default=3, help="the best of so many is taken")
    parser.add_argument("--only", choices=["datacompy", "duckdb"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        return {"datacompy": datacompy_diff, "duckdb": duckdb_diff}[arguments.only](arguments.left, arguments.right)
    runs = [str(arguments.left), str(arguments.right)]
    this = [sys.executable, __file__, *runs, "--only"]
    commands = {
        "rescore": [arguments.rescore, "diff", *runs, "--summary"],
        "datacompy": [*this, "datacompy"],
        "duckdb": [*this, "duckdb"],
    }
    figures = {}
    print(f"{'':10} {'wall s':>8} {'CPU s':>8} {'peak MB':>8}")
    for name, command in commands.items():
        found = [measured(command) for _ in range(arguments.repeat)]
        figures[name] = [min(figure) for figure in zip(*found)]
        wall, cpu, peak = figures[name]
        print(f"{name:10} {wall:8.2f} {cpu:8.2f} {peak:8.0f}", flush=True)
    wall, _, peak = figures["rescore"]
    misses = [f"memory is {peak:.0f} MB, not under {MOST_MEMORY_MB}"] if peak >= MOST_MEMORY_MB else []
    for name, times in TARGETS:
        factor = figures[name][0] / wall
        print(f"rescore takes 1/{factor:.1f} of {name}'s time (wanted: under 1/{times})")
        if factor < times:
            misses.append(f"not under 1/{times} of {name}")
    sys.exit("; ".join(misses) or 0)


if __name__ == "__main__":
    main()
