"""Nights on a real Spark on this machine are, byte for byte, what one process makes of them."""

import contextlib
import os
import shutil
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).parent))
from support import Place, Store, contents, runs_in

from rescore import spark, tasks

DAYS = ("2026-11-18", "2026-11-19", "2026-11-20")
DAY = DAYS[0]
# What one process reads and writes, too.
SETTINGS = {"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2", "spark.log.level": "ERROR"}


def setUpModule():
    global place, store
    store = Store()
    unittest.addModuleCleanup(store.stop)
    # Java is started once for all tests, and hands this on to what it starts.
    java = {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
    environment = mock.patch.dict(os.environ, store.environment() | java)
    environment.start()
    unittest.addModuleCleanup(environment.stop)
    place = Place()
    unittest.addModuleCleanup(place.directory.cleanup)


@contextlib.contextmanager
def what_is_said():
    """A list with what is printed to stderr meanwhile, by the programs that are run, too."""
    said = []
    with tempfile.TemporaryFile() as file:
        sys.stderr.flush()
        before = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            with contextlib.redirect_stderr(os.fdopen(os.dup(2), "w")):
                yield said
                sys.stderr.close()
        finally:
            os.dup2(before, 2)
            os.close(before)
            file.seek(0)
            said.append(file.read().decode(errors="replace"))


# Whatever is not among the first is tried a second time, at once.
SPECULATIVE = {
    "spark.speculation": "true",
    "spark.speculation.quantile": "0.1",
    "spark.speculation.multiplier": "1.01",
    "spark.speculation.interval": "20ms",
    "spark.speculation.minTaskRuntime": "20ms",
}


def session(master, **settings):
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(master)
    for name, value in (SETTINGS | settings).items():
        builder = builder.config(name, value)
    # The machines are to take the driver's word for which program it is.
    with mock.patch.dict(os.environ):
        os.environ.pop("RESCORE_BINARY", None)
        return builder.getOrCreate()


def in_parts(parts, *arguments, work=None):
    """`python -m rescore.spark run`: its exit code."""
    work = work or str(place.root / "work")
    with contextlib.chdir(place.root):
        return spark.main(["run", *arguments, "--parts", str(parts), "--work", work, "--quiet"])


class OnOneMachine(unittest.TestCase):
    """`local[2]`: Spark's own scheduling and workers, two tasks at once."""

    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.spark = session("local[2]")
        cls.addClassCleanup(cls.spark.stop)

    def setUp(self):
        place.forget()

    def assert_same(self, one, run):
        """A run in parts is the run of one process."""
        with self.subTest(run=str(run)):
            self.assertEqual(contents(one), contents(place.gathered(run)))

    def test_any_number_of_parts_makes_the_bytes_of_one_process(self):
        place.succeed("run", "jobs/night.toml", "--date", DAY, "--out", "one")
        shutil.rmtree(place.root / "out")  # the sorted deliveries
        for parts in (1, 4, 7):
            self.assertEqual(in_parts(parts, "jobs/night.toml", "--date", DAY, "--out", f"many/{parts}"), 0)
            run = place.root / f"many/{parts}/date={DAY}"
            self.assertEqual(len(list(run.glob("scores/part-*.parquet"))), parts)
            place.succeed("verify", str(run))
            self.assert_same(place.root / f"one/date={DAY}", run)

    def story(self, run):
        """Some days of a lender: the exit codes, and the runs that were published."""
        place.forget()
        codes = {}
        codes["three nights"] = run("jobs/night.toml", "--from", DAYS[0], "--to", DAYS[2])
        codes["with what has arrived since"] = run("jobs/night.toml", "--date", DAY, "--known-on", DAYS[2])
        codes["again"] = run("jobs/night.toml", "--date", DAYS[1])
        place.deliver_late()
        codes["from other inputs"] = run("jobs/night.toml", "--date", DAYS[1])
        codes["replaced"] = run("jobs/night.toml", "--date", DAYS[1], "--replace")
        codes["held"] = run("jobs/strict.toml", "--date", DAYS[1])
        codes["not delivered"] = run("jobs/night.toml", "--date", "2026-11-25")
        (place.root / "jobs/wrong.toml").write_text("nonsense = 1\n")
        codes["a mistake in the job"] = run("jobs/wrong.toml", "--date", DAY)
        with contextlib.chdir(place.root):
            codes["released"] = spark.main(["release", "strict", "--date", DAYS[1]])
        codes["after it"] = run("jobs/strict.toml", "--date", DAYS[2])
        return codes

    def test_the_days_of_a_lender_go_as_with_one_process(self):
        def one_process(*arguments):
            return place.rescore("run", *arguments).returncode

        def many(*arguments):
            return in_parts(3, *arguments, "--key-shards", "2")

        expected = self.story(one_process)
        self.assertEqual(list(expected.values()), [0, 0, 0, 6, 0, 4, 3, 2, 0, 4])
        for made in ("out", "strict"):
            shutil.move(place.root / made, place.root / "one" / made)
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        one = Path(shutil.move(place.root / "one", kept.name))
        self.assertEqual(self.story(many), expected)
        repeats = contents(one / f"out/date={DAY}")[1]["counts"]["transactions"]["rejected"]["duplicate_row"]
        self.assertGreaterEqual(repeats, 40)
        for made in ("out", "strict"):
            runs = runs_in(one / made)
            self.assertEqual(runs, runs_in(place.root / made))
            for run in runs:
                self.assert_same(one / made / run, place.root / made / run)

    def test_the_whole_chain_in_an_object_store(self):
        place.succeed("run", "jobs/night.toml", "--date", DAY, "--out", "one")
        for part in ("jobs", "sample_data"):
            store.put_directory(place.root / part, f"lender/{part}")
        job, work = "s3://bucket/lender/jobs/night.toml", "s3://bucket/.parts"
        self.assertEqual(in_parts(3, job, "--date", DAY, work=work), 0)
        self.assertIn(b'"exit": 0', store.ask("GET", "/.parts/status.json"))
        run = f"s3://bucket/lender/out/date={DAY}"
        place.succeed("verify", run)
        self.assert_same(place.root / f"one/date={DAY}", run)

    def test_spark_that_cannot_finish_is_a_sentence(self):
        stopped = place.root / "stopped"
        stopped.write_text(f'#!/bin/sh\n[ "$1 $2" != "step sort" ] || kill -9 $$\nexec {tasks.program()} "$@"\n')
        stopped.chmod(0o755)
        with mock.patch.dict(os.environ, RESCORE_BINARY=str(stopped)), what_is_said() as said:
            self.assertEqual(in_parts(2, "jobs/night.toml", "--date", DAY, "--out", "many"), 75)
        last = said[0].splitlines()[-1]
        self.assertRegex(last, r"^rescore.spark: sort: Spark could not finish: .*step sort, task \d+ was stopped \(-9\)")
        self.assertEqual(list(place.root.glob("many/date=*")), [])


# Does what it is asked, and takes the executor away before it can answer: once for each step.
KILLER = """#!/bin/sh
{program} "$@"
code=$?
if [ "$1" = step ] && mkdir {marks}/$2 2>/dev/null; then
    process=$$
    while ! tr '\\0' ' ' < /proc/$process/cmdline | grep -q CoarseGrainedExecutorBackend; do
        process=$(sed -n 's/^PPid:\\t//p' /proc/$process/status)
        [ "$process" -gt 1 ] || {{ rmdir {marks}/$2; exit $code; }}
    done
    kill -9 $process
fi
exit $code
"""


class OnACluster(unittest.TestCase):
    """`local-cluster`: executors are processes of their own, which can be lost."""

    def test_an_executor_is_killed_in_each_step(self):
        place.forget()
        place.succeed("run", "jobs/night.toml", "--date", DAY, "--out", "one")
        shutil.rmtree(place.root / "out")
        marks = place.root / "marks"
        marks.mkdir()
        killer = place.root / "killer"
        killer.write_text(KILLER.format(program=tasks.program(), marks=marks))
        killer.chmod(0o755)
        workers = mock.patch.dict(os.environ, RESCORE_BINARY=str(killer), SPARK_WORKER_DIR=str(place.root / "workers"))
        with workers, session("local-cluster[2,1,1024]", **SPECULATIVE):
            self.assertEqual(in_parts(4, "jobs/night.toml", "--date", DAY, "--out", "many"), 0)
        self.assertEqual(sorted(mark.name for mark in marks.iterdir()), ["finish", "part", "sort"])
        run = place.root / f"many/date={DAY}"
        place.succeed("verify", str(run))
        self.assertEqual(contents(place.root / f"one/date={DAY}"), contents(place.gathered(run)))


class ByHand(unittest.TestCase):
    """What lies between the steps is damaged: tasks are done here, and something happens before the next step."""

    def setUp(self):
        place.forget()

    def refused(self, step, damage):
        """The words with which a night ends to which `damage` is done before a step."""
        do_all = tasks.here(2)

        def do_all_but_first(work, count):
            return do_all(damage(work) or work if work["step"] == step else work, count)

        options = spark.parse(
            ["run", "jobs/night.toml", "--date", DAY, "--parts", "3", "--work", str(place.root / "work"), "--out", "many"]
        )
        with contextlib.chdir(place.root), what_is_said() as said:
            self.assertEqual(spark.run_nights(spark.Driver(do_all_but_first), options), 3)
        self.assertEqual(list(place.root.glob("many/**/manifest.json")), [])
        return said[0]

    def a_copy(self):
        """A sorted delivery that the night needs."""
        (copy,) = (place.root / "out/.state/transactions").rglob("date=2026-11-17.sorted")
        return copy

    def test_a_copy_that_is_lost_is_named(self):
        said = self.refused("part", lambda work: self.a_copy().unlink())
        self.assertRegex(said, r"\[part \d+ on .*2026-11-17")

    def test_a_copy_that_is_damaged_is_named(self):
        def flip(_):
            copy = self.a_copy()
            copy.chmod(0o644)
            data = bytearray(copy.read_bytes())
            data[len(data) // 2] ^= 1
            copy.write_bytes(data)

        self.assertRegex(self.refused("part", flip), r"\[part \d+ on .*2026-11-17")

    def test_a_copy_that_holds_everything_twice_is_named(self):
        def double(_):
            copy = self.a_copy()
            copy.chmod(0o644)
            copy.write_bytes(copy.read_bytes() * 2)

        self.assertRegex(self.refused("part", double), r"\[part \d+ on .*2026-11-17")

    def test_a_copy_that_is_another_delivery_is_named(self):
        def swap(_):
            copy = self.a_copy()
            copy.unlink()
            (other,) = copy.parent.parent.rglob("date=2026-11-16.sorted")
            shutil.copy(other, copy)

        self.assertRegex(self.refused("part", swap), r"\[part \d+ on .*2026-11-17")

    def test_a_report_that_is_missing_is_named(self):
        def drop(work):
            return work | {"shared": work["shared"].split(b"\n", 1)[1]}

        self.assertIn("step sort, task 0", self.refused("part", drop))

    def test_what_a_part_has_left_is_checked(self):
        def cut_short(_):
            for left in (place.root / "work").rglob("*"):
                if left.is_file() and left.name not in ("plan.json", "status.json") and "part" in str(left):
                    left.chmod(0o644)
                    left.write_bytes(left.read_bytes()[:-7])

        self.assertIn("[finish 0 on ", self.refused("finish", cut_short))


if __name__ == "__main__":
    unittest.main()
