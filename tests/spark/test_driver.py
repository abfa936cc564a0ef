"""How a night is led through its steps, without Spark: tasks are done here, by a program that only speaks the protocol."""

import contextlib
import io
import json
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from rescore import spark, tasks

FAKE = str(Path(__file__).parent / "fake_rescore")
DAY = "2026-11-20"


class Nights(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.work = directory.name
        self.do_all = tasks.here(2)

    def run_nights(self, *arguments, fake=None, parts=2, **environment):
        """Runs nights with the program that does as `fake` says: the exit code and what was printed."""
        arguments = ["run", "job.toml", *arguments, "--parts", str(parts), "--work", self.work]
        environment |= {"RESCORE_BINARY": FAKE, "FAKE": json.dumps(fake or {})}
        said = io.StringIO()
        with mock.patch.dict(os.environ, environment), contextlib.redirect_stderr(said):
            options = spark.parse(arguments)
            code = spark.run_nights(spark.Driver(self.do_all, memory=options.memory), options)
        return code, said.getvalue()

    def status(self, night=None):
        return json.loads(Path(self.work, night or "", "status.json").read_text())

    def test_every_step_is_given_the_reports_that_it_works_from(self):
        seen = {}

        def do_all(work, count):
            rows = tasks.here(2)(work, count)
            seen[work["step"]] = [json.loads(row["report"])["given"] for row in rows]
            return rows

        self.do_all = do_all
        self.assertEqual(self.run_nights("--date", DAY, FAKE_PLAN='{"keys": 2}')[0], 0)
        keys, sort, part = ([[step, task] for task in range(n)] for step, n in (("keys", 2), ("sort", 3), ("part", 2)))
        self.assertEqual(seen["keys"], [[]] * 2)
        self.assertEqual(seen["sort"], [keys] * 3)
        self.assertEqual(seen["part"], [sort] * 2)
        self.assertEqual(seen["finish"], [[["cut", 0], ["part", 0]], [["cut", 0], ["part", 1]]])
        given = json.loads(Path(self.work, DAY, "given.json").read_text())
        self.assertEqual(given, sort + part + [["cut", 0], ["finish", 0], ["finish", 1]])

    def test_memory_is_what_each_task_may_take(self):
        seen = []

        def do_all(work, count):
            rows = tasks.here(2)(work, count)
            seen.extend(json.loads(row["report"])["memory"] for row in rows)
            return rows

        self.do_all = do_all
        self.run_nights("--date", DAY, "--memory", "4GB")
        self.assertEqual(seen, ["4GB"] * 7)

    def test_what_the_program_refuses_ends_the_night_with_its_code_and_its_words(self):
        code, said = self.run_nights("--date", DAY, fake={"part 1": "exit 3"})
        self.assertEqual(code, 3)
        self.assertRegex(said, r"\[part 1 on .*\] part 1 says so")
        self.assertNotIn("finish", said)
        for directory in (None, DAY):
            self.assertEqual(self.status(directory)["exit"], 3)
        for step in ("sort 2", "cut 0", "finish 0", "commit 0"):
            self.assertEqual(self.run_nights("--date", DAY, fake={step: "exit 7"})[0], 7, step)

    def test_what_is_killed_is_for_spark_to_try_again(self):
        with self.assertRaisesRegex(RuntimeError, r"step sort, task 0 was stopped \(-9\)"):
            self.run_nights("--date", DAY, fake={"sort 0": "kill"})

    def test_a_step_that_prints_another_thing_than_its_report_is_a_fault(self):
        for step, what in (("part 0", "has printed 2 reports of 1 tasks"), ("cut 0", "has not printed one report")):
            code, said = self.run_nights("--date", DAY, fake={step: "twice"})
            self.assertEqual(code, 70)
            self.assertIn(what, said)

    def test_of_tasks_in_a_row_the_first_without_a_report_has_failed(self):
        work = {"step": "sort", "plan": FAKE, "parts": 1, "version": "rescore 0.0.0 (fake)", "binary": FAKE}
        work |= {"shared": b"", "own": None}
        with mock.patch.dict(os.environ, FAKE='{"sort 5": "exit 3"}', RESCORE_BINARY=FAKE):
            rows = tasks.do_tasks(work, [4, 5, 6])
            whole = tasks.do_tasks(work, [6, 7])
        self.assertEqual([(row["task"], row["exit"]) for row in rows], [(4, 0), (5, 3)])
        self.assertIn("sort 5 says so", rows[1]["messages"])
        self.assertEqual([(row["task"], row["exit"]) for row in whole], [(6, 0), (7, 0)])

    def test_a_night_that_is_there_is_left_alone(self):
        code, said = self.run_nights("--date", DAY, FAKE_PLAN='{"done": true, "exit": 4}', fake={"sort 0": "exit 3"})
        self.assertEqual((code, self.status(DAY)["exit"]), (4, 4))
        self.assertNotIn("sort", said)

    def test_a_range_goes_on_after_a_night_that_is_held_and_ends_with_it(self):
        week = ("--from", "2026-11-18", "--to", "2026-11-20")
        self.assertEqual(self.run_nights(*week, fake={"commit 0": "exit 4"})[0], 4)
        self.assertEqual(self.status("2026-11-20")["exit"], 4)

    def test_a_range_ends_with_the_first_night_that_fails(self):
        self.assertEqual(self.run_nights("--from", "2026-11-18", "--to", DAY, fake={"sort 0": "exit 3"})[0], 3)
        self.assertEqual(sorted(os.listdir(self.work)), ["2026-11-18", "status.json"])

    def test_a_machine_with_another_program_is_refused(self):
        def do_all(work, count):
            with mock.patch.dict(os.environ, FAKE_VERSION="rescore 0.0.1"):
                return tasks.here(2)(work, count)

        self.do_all = do_all
        code, said = self.run_nights("--date", DAY)
        self.assertEqual(code, 2)
        self.assertIn("is rescore 0.0.1, the driver's is rescore 0.0.0 (fake): install the same on all machines", said)

    def test_a_machine_that_does_not_see_the_plan_is_refused(self):
        plan = '{"plan": "/nowhere/plan.json"}'
        with mock.patch.object(spark, "write_status"):
            code, said = self.run_nights("--date", DAY, FAKE_PLAN=plan)
        self.assertEqual(code, 2)
        self.assertIn("/nowhere/plan.json is not there: give a --work that all machines see", said)

    def test_a_task_that_is_answered_twice_counts_once_and_one_that_is_not_is_a_fault(self):
        self.do_all = lambda work, count: tasks.here(2)(work, count) * 2
        self.assertEqual(self.run_nights("--date", DAY)[0], 0)
        self.do_all = lambda work, count: tasks.here(2)(work, count)[1:]
        code, said = self.run_nights("--date", DAY)
        self.assertEqual(code, 70)
        self.assertIn("sort: 2 of 3 tasks have answered", said)

    def test_arguments_reach_the_plan(self):
        asked = ("--date", DAY, "--known-on", "2026-11-25", "--out", "elsewhere", "--replace")
        self.run_nights(*asked, parts=7)
        planned = json.loads(Path(self.work, DAY, "plan.json").read_text())
        self.assertEqual(planned, ["step", "plan", "job.toml", *asked, "--parts", "7", "--work", self.work])


class CommandLine(unittest.TestCase):
    def refused(self, *arguments):
        said = io.StringIO()
        with self.assertRaises(SystemExit) as ended, contextlib.redirect_stderr(said):
            spark.main(list(arguments))
        self.assertEqual(ended.exception.code, 2)
        return said.getvalue()

    def test_what_does_not_fit_together_is_usage(self):
        cut_up = ("--parts", "2", "--work", "w")
        self.assertIn("name a --date", self.refused("run", "job.toml", *cut_up))
        self.assertIn("name a --date", self.refused("run", "job.toml", "--from", DAY, *cut_up))
        self.assertIn("name --parts", self.refused("run", "job.toml", "--date", DAY))
        range_of_days = ("--from", DAY, "--to", DAY, "--known-on", DAY)
        self.assertIn("--known-on is of one", self.refused("run", "job.toml", *range_of_days, *cut_up))

    def test_plans_and_releases_are_the_programs(self):
        with mock.patch.dict(os.environ, RESCORE_BINARY=FAKE), mock.patch.object(spark.subprocess, "call") as call:
            spark.main(["run", "job.toml", "--from", DAY, "--to", DAY, "--out", "o", "--plan"])
            spark.main(["release", "out", "--date", DAY])
        ran, released = (asked.args[0] for asked in call.call_args_list)
        self.assertEqual(ran, [FAKE, "run", "job.toml", "--from", DAY, "--to", DAY, "--out", "o", "--plan"])
        self.assertEqual(released, [FAKE, "release", "out", "--date", DAY])

    def test_without_a_program_that_is_said(self):
        said = io.StringIO()
        with mock.patch.object(tasks, "find_binary", return_value=None), contextlib.redirect_stderr(said):
            self.assertEqual(spark.main(["run", "j", "--date", DAY, "--parts", "1", "--work", "w"]), 2)
        self.assertIn("there is no program", said.getvalue())


class WhySparkFailed(unittest.TestCase):
    def test_it_is_one_sentence(self):
        trace = "Job aborted\n  at org.apache\nRuntimeError: step part, task 1 was stopped (-9): \n\tat java"
        said = tasks.why_spark_failed(trace)
        self.assertEqual(said, "Spark could not finish: RuntimeError: step part, task 1 was stopped (-9):")
        self.assertIn("PYSPARK_PYTHON", tasks.why_spark_failed("[PYTHON_VERSION_MISMATCH] Python in worker …"))


if __name__ == "__main__":
    unittest.main()
