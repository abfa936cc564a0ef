"""The book that the benchmark runs on, and the shipped job pointed at it."""

import re
import subprocess
from datetime import date, timedelta
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


def delivery(file):
    """The date of the partition that a file lies in."""
    return date.fromisoformat(file.parent.name.removeprefix("date="))


def files(book, name):
    """An input's files by delivery and name."""
    return sorted((book / name).glob("date=*/*.parquet"))


def sample(rescore, work, accounts, first, last, seed):
    """A sample of that size: made once, used again."""
    directory = work / f"sample-{accounts}-{first}-{last}-{seed}"
    if not directory.exists():
        span = ["--from", str(first), "--to", str(last), "--seed", str(seed)]
        half = directory.with_suffix(".half")
        subprocess.run(["rm", "-rf", half], check=True)
        command = [rescore, "sample", half, "--quiet", "--accounts", str(accounts), *span]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        half.rename(directory)
    return directory


def with_snapshots(sample_dir, work, first, last):
    """The sample with a snapshot of the lines for every day from `first` on.

    A sample holds those of its last week only. An earlier one is made of the first of them: without
    the lines opened later, nor changes of limits yet to come. The rest is linked, not copied.
    """
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    book = work / "book"
    subprocess.run(["rm", "-rf", book], check=True)
    (book / "lines").mkdir(parents=True)
    for name in "transactions", "repayments":
        (book / name).symlink_to((sample_dir / name).resolve())
    snapshots = {delivery(file): file for file in files(sample_dir, "lines")}
    for day, file in snapshots.items():
        (book / "lines" / f"date={day}").symlink_to(file.parent.resolve())
    earliest = pq.read_table(snapshots[min(snapshots)], partitioning=None)
    for age in range((last - first).days + 1):
        day = last - timedelta(age)
        if day in snapshots:
            continue
        lines = earliest.filter(pc.less_equal(earliest["opened_on"], day))
        for column in "increased_on", "decreased_on", "status_since":
            known = pc.if_else(pc.less_equal(lines[column], day), lines[column], None)
            lines = lines.set_column(lines.column_names.index(column), column, known)
        (book / "lines" / f"date={day}").mkdir()
        pq.write_table(lines, book / "lines" / f"date={day}" / "part-0.parquet", compression="zstd")
    return book


def job(work, name, book):
    """The shipped job over `book`, with an output directory and a state of its own; its file and output."""
    out, directory = work / "out" / name, work / "jobs" / name
    directory.mkdir(parents=True, exist_ok=True)
    for file in "scorecard.toml", "policy.toml":
        (directory / file).write_bytes((PROJECT / "jobs" / file).read_bytes())
    text = (PROJECT / "jobs" / "first-night.toml").read_text()
    text = text.replace('"../sample_data/', f'"{book.resolve()}/')
    text = re.sub(r'"\.\./out(?=[/"])', f'"{out.resolve()}', text)
    if not re.search(r"^\[state\]", text, re.MULTILINE):
        text += f'\n[state]\ndir = "{out.resolve()}/.state"\n'
    assert '"../' not in text.replace("#", '"'), "a path of the shipped job was not understood"
    file = directory / "nightly.toml"
    file.write_text(text)
    return file, out


def columns_read(scorecard, transaction_columns, unique):
    """The columns that the job needs, by input: the contract's, and what its features and `unique` name."""
    words = set(unique)
    for feature in scorecard["feature"]:
        if feature.get("from") == "transactions":
            words |= {feature.get("of")} | set(re.findall(r"\w+", feature.get("where", "")))
    contract = ["account_id", "posted_on", "amount"]
    extra = [column for column in transaction_columns if column in words and column not in contract]
    return {
        "transactions": contract + extra,
        "repayments": ["account_id", "product", "bill_id", "due_on", "due_amount", "paid_on", "paid_amount"],
        "lines": [
            "account_id", "product", "credit_limit", "balance", "status", "opened_on", "increased_on",
            "decreased_on", "status_since", "status_reason",
        ],
    }
