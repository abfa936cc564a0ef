"""Child processes and what they took.

As a script, `measure.py REPORT LOG COMMAND…` runs the command and writes to REPORT what it took.
"""

import json
import os
import subprocess
import sys
import time


class Failed(Exception):
    """A piece of work that did not end as it should."""


def run(command, log, allowed=(0,)):
    """Runs a command and measures it: wall_seconds, cpu_seconds, peak_bytes, read_bytes, exit."""
    command = [str(part) for part in command]
    log.parent.mkdir(parents=True, exist_ok=True)
    report = log.with_suffix(".json")
    # A process starts out with its parent's peak memory, so the parent must be a small one.
    subprocess.run([sys.executable, "-I", "-S", __file__, report, log, *command], check=True)
    taken = json.loads(report.read_text())
    if taken["exit"] not in allowed:
        tail = log.read_text(errors="replace")[-2000:]
        raise Failed(f"{' '.join(command)}\nended with {taken['exit']}:\n{tail}")
    return taken


def child(command, log):
    """Runs a command: itself, and the children that it waits for, are measured."""
    with open(log, "wb") as output:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        # Once it has ended, and until it is reaped, its counters can still be read.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        wall = time.perf_counter() - started
        read = read_bytes(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
    return {
        "wall_seconds": wall,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_bytes": usage.ru_maxrss * 1024,
        "read_bytes": read,
        "exit": os.waitstatus_to_exitcode(status),
    }


def read_bytes(pid):
    """What a process has read by read calls (what is mapped into memory does not show)."""
    with open(f"/proc/{pid}/io") as counters:
        return next(int(line.split()[1]) for line in counters if line.startswith("rchar:"))


if __name__ == "__main__":
    report, log, *command = sys.argv[1:]
    with open(report, "w") as file:
        json.dump(child(command, log), file)
