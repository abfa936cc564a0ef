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


def in_order_of_arrival(sample_dir, work):
    """The sample with the rows of its deliveries as a gateway writes them: in no order of account.

    Every file of transactions and repayments is written anew with its rows in a fixed pseudo-random
    order, in row groups as large and with the codec that it had. Made once, used again.
    """
    directory = work / f"{sample_dir.name}-in-order-of-arrival"
    if not directory.exists():
        half = directory.with_suffix(".half")
        subprocess.run(["rm", "-rf", half], check=True)
        half.mkdir(parents=True)
        (half / "lines").symlink_to((sample_dir / "lines").resolve())
        for name in "transactions", "repayments":
            for number, file in enumerate(files(sample_dir, name)):
                target = half / name / file.parent.name / file.name
                target.parent.mkdir(parents=True, exist_ok=True)
                rewrite(file, target, lambda table: in_random_order(table, number))
        half.rename(directory)
    return directory


def in_random_order(table, seed):
    """The rows of a table in an order that looks random and is the same for the same seed."""
    import pyarrow.compute as pc

    return table.take(pc.sort_indices(pc.random(table.num_rows, initializer=seed)))


def rewrite(source, target, change):
    """Writes a Parquet file with a change to its rows, in row groups as large and with the codec it had."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(source)
    written = {}
    if file.metadata.num_row_groups:
        group = file.metadata.row_group(0)
        codec = group.column(0).compression.lower()
        written = {"row_group_size": group.num_rows, "compression": codec.replace("uncompressed", "none")}
    pq.write_table(change(file.read()), target, **written)


def with_snapshots(sample_dir, work, name, days):
    """The sample with a snapshot of the lines for each of some days.

    A sample holds those of its last week only. An earlier one is made of the first of them: without
    the lines opened later, nor changes of limits yet to come. The rest is linked, not copied.
    """
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    book = linked(sample_dir, work / name, "transactions", "repayments")
    (book / "lines").mkdir()
    snapshots = {delivery(file): file for file in files(sample_dir, "lines")}
    for day, file in snapshots.items():
        (book / "lines" / f"date={day}").symlink_to(file.parent.resolve())
    earliest = pq.read_table(snapshots[min(snapshots)], partitioning=None)
    for day in set(days) - set(snapshots):
        lines = earliest.filter(pc.less_equal(earliest["opened_on"], day))
        for column in "increased_on", "decreased_on", "status_since":
            known = pc.if_else(pc.less_equal(lines[column], day), lines[column], None)
            lines = lines.set_column(lines.column_names.index(column), column, known)
        (book / "lines" / f"date={day}").mkdir()
        pq.write_table(lines, book / "lines" / f"date={day}" / "part-0.parquet", compression="zstd")
    return book


def restated(book, work, day):
    """The book with the transactions of a day delivered anew, without their first row; the rest is linked."""
    changed = linked(book, work / "book-restated", "repayments", "lines")
    (changed / "transactions").mkdir()
    for directory in (book / "transactions").iterdir():
        target = changed / "transactions" / directory.name
        if directory.name != f"date={day}":
            target.symlink_to(directory.resolve())
            continue
        target.mkdir()
        for number, file in enumerate(sorted(directory.glob("*.parquet"))):
            rewrite(file, target / file.name, lambda table: table.slice(1 if number == 0 else 0))
    return changed


def linked(book, directory, *inputs):
    """A new directory that has some inputs of a book."""
    subprocess.run(["rm", "-rf", directory], check=True)
    directory.mkdir(parents=True)
    for name in inputs:
        (directory / name).symlink_to((book / name).resolve())
    return directory


def pairs(scores, file, first, last, most):
    """Writes so many random pairs of an account that was scored and a day, or five an account if that is fewer."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    accounts = pq.read_table(scores, columns=["account_id"], partitioning=None)["account_id"]
    count = min(most, 5 * len(accounts))

    def draw(below, seed):
        return pc.cast(pc.floor(pc.multiply(pc.random(count, initializer=seed), below)), pa.int32())

    days = pc.add(draw((last - first).days + 1, 1), pa.scalar((first - date(1970, 1, 1)).days, pa.int32()))
    table = pa.table({"account_id": accounts.take(draw(len(accounts), 2)), "as_of": days.cast(pa.date32())})
    pq.write_table(table, file)
    return count


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


def shorten_a_window(job_file):
    """Counts one feature of transactions over 89 days instead of 90."""
    file = job_file.parent / "scorecard.toml"
    head, of_transactions, rest = file.read_text().partition('from = "transactions"')
    changed = rest.replace("days = 90", "days = 89", 1)
    assert changed != rest, "the shipped scorecard has no window of 90 days"
    file.write_text(head + of_transactions + changed)


def accept_older_snapshots(job_file, days):
    """Takes a snapshot of the lines that is up to so many days old."""
    text = job_file.read_text()
    changed = re.sub(r"^lines_max_age_days = \d+", f"lines_max_age_days = {days}", text, flags=re.MULTILINE)
    assert changed != text, "the shipped job does not say how old a snapshot may be"
    job_file.write_text(changed)


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
