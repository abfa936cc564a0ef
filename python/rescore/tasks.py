"""The tasks of a step: what a machine does for one, and how many are done side by side, on Spark or here."""

import json
import os
import platform
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from rescore import find_binary

USAGE, FAULT = 2, 70
# Spark itself could not finish, as where too many executors were lost: nothing is published, run again.
SPARK_FAILED = 75
# What is kept of a task's messages: the end says why it failed.
MESSAGES_BYTES = 16_384
# The columns of what a task answers with.
ANSWER = "task bigint, exit bigint, report string, messages string, host string"


class Ended(Exception):
    """The night has ended early, with an exit code and perhaps a sentence."""

    def __init__(self, code, why=""):
        super().__init__(why)
        self.code = code


def program():
    """The program on this machine."""
    if binary := find_binary():
        return binary
    raise Ended(USAGE, "there is no program: install the wheel, or name one by RESCORE_BINARY")


def version_of(binary):
    """What `rescore --version` begins with: version, commit and day."""
    try:
        return subprocess.run([binary, "--version"], capture_output=True, check=True, text=True).stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError) as error:
        raise Ended(USAGE, f"{binary} cannot be run: {error}") from None


def report_of(stdout, step, task=0):
    """The report of a task: one line that its step prints."""
    try:
        report = json.loads(stdout)
        if (report["step"], report["task"]) == (step, task):
            return report
    except (ValueError, TypeError, KeyError):
        pass
    raise Ended(FAULT, f"step {step} has not printed one report, but {stdout[:200]!r}")


# ---- on a machine --------------------------------------------------------------------------------


def do_tasks(work, tasks, threads=None):
    """Does some tasks of a step one after the other: the rows that they answer with.

    `work` has the step, its plan, the driver's version and program, the reports that every task is given on its standard
    input, and those of each."""
    try:
        binary = os.environ.get("RESCORE_BINARY") or work["binary"] or program()
        refuse_an_unfit_machine(work, binary)
    except Ended as ended:
        return [answer(task, ended.code, messages=str(ended)) for task in tasks]
    return run_step(work, binary, tasks, threads)


def answer(task, code, report="", messages=""):
    return {"task": task, "exit": code, "report": report, "messages": messages, "host": platform.node()}


def run_step(work, binary, tasks, threads):
    """Runs the program on tasks of a step: their rows. The first without a report is the one that failed."""
    command = [binary, "step", work["step"], "--plan", work["plan"]]
    command += [text for task in tasks for text in ("--task", str(task))]
    command += ["--threads", str(threads)] if threads else []
    command += ["--memory", work["memory"]] if work.get("memory") else []
    stdin = work["shared"] + b"".join(work["own"][task] for task in tasks if work["own"])
    done = subprocess.run(command, input=stdin, capture_output=True, preexec_fn=end_with_parent, check=False)
    messages = done.stderr[-MESSAGES_BYTES:].decode(errors="replace")
    if done.returncode < 0 or done.returncode > 128:
        # Somebody has stopped it, as the system does where memory is short. Spark tries it again.
        of = f"step {work['step']}, task {tasks[0]}"
        raise RuntimeError(f"{of} was stopped ({done.returncode}): {messages[-500:]}")
    printed = done.stdout.splitlines(keepends=True)
    rows = []
    try:
        for task, line in zip(tasks, printed):
            rows.append(answer(task, 0, json.dumps(report_of(line, work["step"], task))))
        if done.returncode == 0 and len(printed) != len(tasks):
            raise Ended(FAULT, f"step {work['step']} has printed {len(printed)} reports of {len(tasks)} tasks")
    except Ended as ended:
        return [answer(tasks[min(len(rows), len(tasks) - 1)], ended.code, messages=f"{messages}{ended}")]
    if done.returncode != 0:
        return [*rows, answer(tasks[min(len(rows), len(tasks) - 1)], done.returncode, messages=messages)]
    rows[0]["messages"] = messages
    return rows


def refuse_an_unfit_machine(work, binary):
    """Ends where this machine has another program than the driver, or does not see the plan."""
    version = version_of(binary)
    if version != work["version"]:
        raise Ended(USAGE, f"{binary} is {version}, the driver's is {work['version']}: install the same on all machines")
    if "://" not in work["plan"] and not os.path.exists(work["plan"]):
        raise Ended(USAGE, f"{work['plan']} is not there: give a --work that all machines see, as of an object store")


def end_with_parent():
    """A task that Spark has given up ends its program, too (Linux: PR_SET_PDEATHSIG, SIGTERM)."""
    import ctypes

    ctypes.CDLL(None).prctl(1, 15)


# ---- many side by side ---------------------------------------------------------------------------


def here(workers):
    """Does the tasks of a step on this machine, some at once."""

    def do_all(work, count):
        with ThreadPoolExecutor(workers) as pool:
            return [row for rows in pool.map(lambda task: do_tasks(work, [task]), range(count)) for row in rows]

    return do_all


def on_spark(spark):
    """Does the tasks of a step on the executors of a session, each in a partition of its own while there are not more than
    parts: the many short ones of a first night are done some in a row."""
    from pyspark import cloudpickle

    # Machines that have the program need not have this package.
    for module in ("rescore", __name__):
        cloudpickle.register_pickle_by_value(sys.modules[module])

    def do_all(work, count):
        def answers(batches):
            import pyarrow
            from pyspark import TaskContext

            context = TaskContext.get()
            for batch in batches:
                if some := batch.column(0).to_pylist():
                    yield pyarrow.RecordBatch.from_pylist(do_tasks(work, some, context.cpus() if context else None))

        try:
            rows = spark.range(0, count, 1, min(count, work["parts"])).mapInArrow(answers, ANSWER).collect()
        except Exception as error:  # Spark's own, those of its gateway and of its connection
            raise Ended(SPARK_FAILED, f"{work['step']}: {why_spark_failed(str(error))}") from error
        return [row.asDict() for row in rows]

    return do_all


def why_spark_failed(error):
    """What Spark has to say of tasks that it could not finish, without its stack traces."""
    if "PYTHON_VERSION_MISMATCH" in error:
        return "executors have another Python than the driver: set PYSPARK_PYTHON to one of the same minor version"
    causes = re.findall(r"^.*(?:was stopped|\w+Error: |\w+Exception: ).*$", error, re.MULTILINE)
    return f"Spark could not finish: {(causes or error.splitlines() or ['it does not say why'])[-1].strip()}"
