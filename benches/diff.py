#!/usr/bin/env python3
"""Compares two runs with rescore, datacompy (polars) and DuckDB: wall time, CPU time, peak memory.

Each does the same comparison of scores, features and decisions: rows only left, only right and on both
sides, and for every column how many cells differ; DuckDB and rescore also sum the differences, and rescore
besides says why. Every tool runs in a process of its own, start-up included, on all cores. It ends with 1
where they do not count the same; with --strict also where a target is missed.

    python3 -m pip install -r benches/requirements-diff.txt
    benches/diff.py LEFT RIGHT --repeat 3
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import measure

TABLES = {
    "scores": ["account_id"],
    "features": ["account_id"],
    "decisions": ["account_id", "product"],
}
# At most one part in so many of the peer's time.
TARGETS = {"datacompy": 5, "duckdb": 2}
MOST_MEMORY_MB = 200
# The exit code of a diff that finds differences.
DIFFERENT = 1


def datacompy_diff(left, right):
    """Compares table by table, as datacompy's own report does."""
    import datacompy
    import polars as pl

    counts = {}
    for table, key in TABLES.items():
        frames = [pl.read_parquet(run / f"{table}.parquet") for run in (left, right)]
        compare = datacompy.PolarsCompare(*frames, join_columns=key)
        changed = sum(column["unequal_cnt"] for column in compare.column_stats)
        alone = len(compare.df1_unq_rows), len(compare.df2_unq_rows)
        counts[table] = [*alone, len(compare.intersect_rows), changed]
    return counts


def duckdb_diff(left, right):
    """A full outer join by key, counted in one query a table."""
    import duckdb

    connection = duckdb.connect()
    counts = {}
    for table, key in TABLES.items():
        # A run's directory looks like a partition, which would add a column.
        sides = [f"read_parquet('{run / table}.parquet', hive_partitioning = false)" for run in (left, right)]
        described = connection.execute(f"describe from {sides[0]}").fetchall()
        columns = [(name, kind) for name, kind, *_ in described if name not in key]
        both = f"l.{key[0]} is not null and r.{key[0]} is not null"
        parts = [
            f"count(*) filter (where r.{key[0]} is null)",
            f"count(*) filter (where l.{key[0]} is null)",
            f"count(*) filter (where {both})",
        ]
        changes = [
            f'count(*) filter (where {both} and l."{name}" is distinct from r."{name}")' for name, _ in columns
        ]
        for name, kind in columns:
            if kind in ("BIGINT", "INTEGER"):
                change = f'r."{name}"::hugeint - l."{name}"'
                parts += [f"sum({change})", f"max(abs({change}))"]
        on = " and ".join(f"l.{name} = r.{name}" for name in key)
        select = ", ".join(parts + changes)
        query = f"select {select} from {sides[0]} l full outer join {sides[1]} r on {on}"
        found = connection.execute(query).fetchone()
        counts[table] = [*found[:3], sum(found[len(parts):])]
    return counts


def rescore_counts(rescore, left, right):
    """What rescore counts, in the words of the peers."""
    command = [rescore, "diff", left, right, "--json", "--limit", "0"]
    found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout)
    counts = {}
    for table in TABLES:
        who = found["lines" if table == "decisions" else "rows"]
        changed = sum(column["changed"] for column in found["columns"] if column["table"] == table)
        counts[table] = [who["only_left"], who["only_right"], who["both"], changed]
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("left", type=Path)
    parser.add_argument("right", type=Path)
    parser.add_argument("--rescore", type=Path, default="target/release/rescore", help="the program")
    parser.add_argument("--repeat", type=int, default=3, help="the best of so many is taken")
    parser.add_argument("--strict", action="store_true", help="a missed target is an error")
    parser.add_argument("--only", choices=TARGETS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    runs = arguments.left, arguments.right
    peers = {"datacompy": datacompy_diff, "duckdb": duckdb_diff}
    if arguments.only:
        return print(json.dumps(peers[arguments.only](*runs)))
    rescore = arguments.rescore.resolve()
    commands = {"rescore": [rescore, "diff", *runs, "--summary"]}
    commands |= {peer: [sys.executable, __file__, *runs, "--only", peer] for peer in peers}
    expected = rescore_counts(rescore, *runs)
    figures, wrong = {}, []
    print(f"{'':10} {'wall s':>8} {'CPU s':>8} {'peak MB':>8}")
    with tempfile.TemporaryDirectory() as work:
        for name, command in commands.items():
            log = Path(work) / f"{name}.log"
            taken = [measure.run(command, log, allowed=(0, DIFFERENT)) for _ in range(arguments.repeat)]
            wall, cpu, peak = (
                min(one[figure] for one in taken) for figure in ("wall_seconds", "cpu_seconds", "peak_bytes")
            )
            figures[name] = wall
            print(f"{name:10} {wall:8.2f} {cpu:8.2f} {peak / 1e6:8.0f}", flush=True)
            if name == "rescore" and peak / 1e6 >= MOST_MEMORY_MB:
                wrong += [f"memory is {peak / 1e6:.0f} MB, not under {MOST_MEMORY_MB}"]
            counts = expected if name == "rescore" else json.loads(log.read_text().splitlines()[-1])
            if counts != expected:
                sys.exit(f"{name} counts {counts}, rescore {expected}")
    for name, times in TARGETS.items():
        factor = figures[name] / figures["rescore"]
        print(f"rescore takes 1/{factor:.1f} of {name}'s time (wanted: under 1/{times})")
        wrong += [f"not under 1/{times} of {name}"] if factor < times else []
    print("; ".join(wrong) or "all targets are met")
    sys.exit(1 if wrong and arguments.strict else 0)


if __name__ == "__main__":
    main()
