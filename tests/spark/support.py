"""What the tests on Spark share: a place with a book and jobs, an object store, and what must be equal in the end."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import pyarrow
import pyarrow.parquet

from rescore import find_binary

PROJECT = Path(__file__).resolve().parents[2]
ACCOUNTS = 2200
FIRST, LAST = "2026-10-20", "2026-11-20"
# A job's gates follow this line.
GATES = "# ---- the inputs are what they should be"
NOBODY_IS_HELD = """
[[gate]]
name = "nothing is decided"
table = "decisions"
share_of = "action <> 'hold'"
max_bp = 0
"""


class Place:
    """A directory with `sample_data`, and jobs without gates beside it: `night.toml`, and `strict.toml`, which is always
    held and publishes elsewhere."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="rescore-spark-")
        self.root = Path(self.directory.name)
        sample = ["sample", "sample_data", "--accounts", str(ACCOUNTS), "--from", FIRST, "--to", LAST]
        self.succeed(*sample, "--seed", "5", "--line-days", "5")
        shutil.copytree(PROJECT / "jobs", self.root / "jobs")
        night = (self.root / "jobs/nightly.toml").read_text().split(GATES)[0]
        (self.root / "jobs/night.toml").write_text(night)
        strict = night.replace('dir = "../out', 'dir = "../strict')
        (self.root / "jobs/strict.toml").write_text(strict + NOBODY_IS_HELD)
        self.repeat_rows()
        self.add_a_busy_account()

    def repeat_rows(self):
        """A file of a delivery with forty rows a second time, each for another account: half of them those of another file
        of that delivery, half of the delivery before."""
        days = [self.root / f"sample_data/transactions/date={date}" for date in ("2026-11-17", "2026-11-18")]
        repeats = []
        for day in days:
            rows = pyarrow.parquet.ParquetFile(next(day.glob("part-*"))).read().slice(0, 21)
            index = rows.schema.get_field_index("account_id")
            others = rows.column(index).slice(1, 20)
            repeats.append(rows.slice(0, 20).set_column(index, rows.schema.field(index), others))
        pyarrow.parquet.write_table(pyarrow.concat_tables(repeats), days[1] / "repeats.parquet")

    def add_a_busy_account(self):
        """One account with as many rows in a day as the others have in two months."""
        day = self.root / "sample_data/transactions/date=2026-11-18"
        rows = pyarrow.parquet.ParquetFile(next(day.glob("part-*"))).read().slice(0, 1)
        rows = pyarrow.concat_tables([rows] * 50_000).combine_chunks()
        index = rows.schema.get_field_index("transaction_id")
        ids = pyarrow.array(range(10**12, 10**12 + 50_000)).cast(rows.schema.field(index).type)
        pyarrow.parquet.write_table(rows.set_column(index, rows.schema.field(index), ids), day / "busy.parquet")

    def deliver_late(self):
        """A file that a delivery had not when its night ran."""
        day = self.root / "sample_data/transactions/date=2026-11-19"
        (file,) = (self.root / "sample_data/transactions/date=2026-11-05").iterdir()
        rows = pyarrow.parquet.ParquetFile(file).read().slice(0, 50)
        pyarrow.parquet.write_table(rows, day / "late.parquet")

    def forget(self):
        """As before the first night."""
        for made in ("out", "strict", "work", "one", "many"):
            shutil.rmtree(self.root / made, ignore_errors=True)
        (self.root / "sample_data/transactions/date=2026-11-19/late.parquet").unlink(missing_ok=True)

    def rescore(self, *arguments):
        return subprocess.run([find_binary(), *arguments], cwd=self.root, capture_output=True, text=True, check=False)

    def succeed(self, *arguments):
        done = self.rescore(*arguments)
        assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def gathered(self, run):
        """A run with one file a table: its directory."""
        out = tempfile.mkdtemp(dir=self.root, prefix="gathered-")
        self.succeed("gather", str(run), "--out", out)
        (manifest,) = Path(out).rglob("manifest.json")
        return manifest.parent


def contents(run):
    """The hash of every file of a run with one file a table, and what its manifest says that does not depend on how it
    was made."""
    files = {}
    for path in sorted(run.rglob("*")):
        # A release notes when it was, and of which manifest.
        if path.is_file() and path.name not in ("manifest.json", "released.json"):
            files[str(path.relative_to(run))] = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest = json.loads((run / "manifest.json").read_text())
    for key in ("outputs", "timing", "manifest_sha256"):
        manifest.pop(key, None)
    # A night that reads what earlier nights have made names their files, which are others where they were made in parts.
    inputs = [file for file in manifest["inputs"] if file["input"] not in ("issued", "previous")]
    if inputs != manifest["inputs"]:
        manifest["inputs"] = inputs
        del manifest["fingerprint"]
    manifest.get("previous", {}).pop("fingerprint", None)
    return files, manifest


def runs_in(directory):
    """The runs below a directory, by their paths in it; those that were replaced are left out."""
    found = (manifest.parent.relative_to(directory) for manifest in directory.rglob("manifest.json"))
    return sorted(run for run in found if "superseded" not in run.parts and not run.parts[0].startswith("."))


class Store:
    """An S3 server on loopback, and a bucket."""

    AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=t/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"

    def __init__(self):
        command = [sys.executable, PROJECT / "tests/store/serve.py"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.endpoint = json.loads(self.process.stdout.readline())["endpoint"]
        self.put("")

    def environment(self):
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
        return keys | {"AWS_ENDPOINT_URL": self.endpoint, "AWS_ALLOW_HTTP": "true"}

    def ask(self, method, path, body=None):
        headers = {"Authorization": self.AUTHORIZATION, "Content-Type": "application/octet-stream"}
        url = f"{self.endpoint}/bucket{path}"
        with urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method)) as answer:
            return answer.read()

    def put(self, path, body=b""):
        self.ask("PUT", path, body)

    def put_directory(self, directory, prefix):
        for path in directory.rglob("*"):
            if path.is_file():
                self.put(f"/{prefix}/{path.relative_to(directory)}", path.read_bytes())

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
