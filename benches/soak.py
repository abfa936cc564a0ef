#!/usr/bin/env python3
"""Runs night after night, each in a process of its own and then all in one, and says what grows.

    cargo build --release --bin rescore
    benches/soak.py --nights 100 --accounts 100000

Of every night it measures wall time, the most memory, the most files that were open at a time and the
size of the state. Bills are read however old they are, and so are the names of earlier adjustments:
files are counted by input file, and the state by delivery that is kept in it. None of the four may
grow: the mean of the last tenth of the nights is held against that of the first tenth after the
warm-up, and it ends with 1 where it is larger by more than --bound. What nights publish is kept, as it
would be, so that earlier adjustments pile up.

The jobs are those of jobs/, without their gates: a night that is held is no input to any other.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent

# How often it is looked how many files a process has open.
LOOK_SECONDS = 0.02

# What may not grow.
BOUNDED = "seconds", "memory", "files / input", "state / kept"

# Means that differ by less are noise.
LEAST_SECONDS = 0.2


def shell(command, **more):
    """Runs a command that must succeed."""
    done = subprocess.run([str(part) for part in command], check=False, **more)
    if done.returncode != 0:
        sys.exit(f"soak: {' '.join(map(str, command))} ended with {done.returncode}")
    return done


def sizes(directory):
    """The sizes of all files below a directory by path, as far as they are not removed meanwhile."""
    found = {}
    for above, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(above, name)
            try:
                found[path] = os.stat(path).st_size
            except FileNotFoundError:
                pass
    return found


def open_files(pid):
    """How many files a process has open; 0 once it has ended."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def memory_bytes(pid):
    """What a process holds in memory; 0 once it has ended."""
    try:
        with open(f"/proc/{pid}/status") as status:
            kilobytes = (line.split()[1] for line in status if line.startswith("VmRSS:"))
            return 1024 * int(next(kilobytes, 0))
    except OSError:
        return 0


def make_book(work, arguments):
    """Lays out jobs without gates and a book for them."""
    jobs = work / "jobs"
    jobs.mkdir(parents=True)
    for name in ("nightly.toml", "scorecard.toml", "policy.toml"):
        text = (PROJECT / "jobs" / name).read_text()
        (jobs / name).write_text(text.split("\n[[gate]]")[0] + "\n" if name == "nightly.toml" else text)
    first = arguments.first - timedelta(days=arguments.history)
    last = arguments.first + timedelta(days=arguments.nights - 1)
    shell([
        arguments.rescore, "sample", work / "sample_data", "--accounts", arguments.accounts, "--from", first,
        "--to", last, "--line-days", arguments.nights + 1, "--seed", arguments.seed, "--quiet",
    ])
    return jobs / "nightly.toml"


def follow(command, each):
    """Runs a command, and calls `each` with what it has taken so far for every line that it prints."""
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, bufsize=0)
    taken = {"files": 0, "bytes": 0, "since": time.perf_counter()}
    os.set_blocking(process.stdout.fileno(), False)
    rest = b""
    while True:
        ended = process.poll() is not None
        taken["files"] = max(taken["files"], open_files(process.pid))
        taken["bytes"] = max(taken["bytes"], memory_bytes(process.pid))
        *lines, rest = (rest + (process.stdout.read() or b"")).split(b"\n")
        for line in lines:
            each(line, taken)
            taken.update(files=0, bytes=0, since=time.perf_counter())
        if ended:
            return process.returncode
        time.sleep(LOOK_SECONDS)


def soak(name, commands, work, arguments):
    """Runs commands that print a line of JSON a night; what every night has taken."""
    nights = []

    def each(line, taken):
        said = json.loads(line)
        if said["ending"] != "published":
            sys.exit(f"soak: the night of {said['as_of']} is {said['ending']}")
        seconds = time.perf_counter() - taken["since"]
        manifest = json.loads((work / "out" / f"date={said['as_of']}" / "manifest.json").read_text())
        state = sizes(work / "out/.state")
        inputs, kept = len(manifest["inputs"]), sum(path.endswith(".sorted") for path in state)
        nights.append({
            "night": said["as_of"],
            "seconds": round(seconds, 3),
            "memory": taken["bytes"],
            "files": taken["files"],
            "files / input": round(taken["files"] / inputs, 3),
            "state": sum(state.values()),
            "state / kept": round(sum(state.values()) / kept),
            "inputs": inputs,
            "kept": kept,
            "adjustments": said["control_totals"]["adjustments"],
        })
        if arguments.verbose:
            print(nights[-1], flush=True)

    for command in commands:
        code = follow(command, each)
        if code != 0:
            sys.exit(f"soak: {' '.join(map(str, command))} ended with {code}")
    if len(nights) != arguments.nights:
        sys.exit(f"soak: {len(nights)} of {arguments.nights} nights were run")
    return judge(name, nights, arguments)


def mean(nights, what):
    """The mean of what some nights have taken."""
    return sum(night[what] for night in nights) / len(nights)


def judge(name, nights, arguments):
    """Holds the last nights against the first after the warm-up; whether nothing has grown."""
    settled = nights[arguments.warm_up:]
    # In one process four nights are answered at once: only of as many does the mean tell anything.
    tenth = 4 * -(-len(settled) // 40)
    first, last = settled[:tenth], settled[-tenth:]
    print(f"\n{name}: {len(nights)} nights of {arguments.accounts:,} accounts")
    print(f"{'':14} {'first':>14} {'last':>14} {'grown':>8}")
    flat = True
    for what in [what for what in nights[0] if what != "night"]:
        before, after = mean(first, what), mean(last, what)
        grown = after / before - 1 if before else 0.0
        is_noise = what == "seconds" and abs(after - before) < LEAST_SECONDS
        grows = what in BOUNDED and not is_noise and grown > arguments.bound
        flat &= not grows
        print(f"{what:14} {before:14,.2f} {after:14,.2f} {100 * grown:7.1f}% {'GROWS' if grows else ''}")
    return flat


def parse():
    """What is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nights", type=int, default=100)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--history", type=int, default=365, help="days of deliveries before the first night")
    parser.add_argument("--first", type=date.fromisoformat, default=date(2026, 11, 20))
    parser.add_argument("--warm-up", type=int, help="nights until the state is full [default: 35, or a third]")
    parser.add_argument("--bound", type=float, default=0.15, help="how much more the last nights may take")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, default=Path("/tmp/rescore-soak"), help="where all of it lies")
    parser.add_argument("--rescore", type=Path, default=PROJECT / "target/release/rescore")
    parser.add_argument("--verbose", action="store_true", help="print every night")
    arguments = parser.parse_args()
    if arguments.nights < 3:
        parser.error("--nights is 3 or more")
    if arguments.warm_up is None:
        arguments.warm_up = min(35, arguments.nights // 3)
    if arguments.work.exists():
        parser.error(f"{arguments.work} is there already: remove it, or name another --work")
    return arguments


def main():
    arguments = parse()
    job = make_book(arguments.work, arguments)
    days = [arguments.first + timedelta(days=number) for number in range(arguments.nights)]
    run = [arguments.rescore, "run", job, "--json", "--quiet"]
    processes = [[*run, "--date", day] for day in days]
    flat = soak("a process a night", processes, arguments.work, arguments)
    shutil.rmtree(arguments.work / "out")
    in_one = [[*run, "--from", days[0], "--to", days[-1]]]
    flat &= soak("one process", in_one, arguments.work, arguments)
    shutil.rmtree(arguments.work)
    sys.exit(0 if flat else 1)


if __name__ == "__main__":
    main()
