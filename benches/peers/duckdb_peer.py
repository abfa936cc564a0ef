"""The shipped job's features and scores in DuckDB: duckdb.sql for the features, the scorecard below.

    duckdb_peer.py BOOK SCORECARD OUT --date D [--threads N] [--memory 12GB]

BOOK holds transactions/, repayments/ and lines/ by `date=`; OUT gets features.parquet and
scores.parquet. Limits are not decided about: rules, caps, budgets and the order in which they bind are
no work for one SQL statement, so `rescore` does more in its time than this does.
"""

import argparse
import tomllib
from datetime import date, timedelta
from pathlib import Path

import duckdb

LONGEST_WINDOW_DAYS = 365
UNIQUE_WITHIN_DAYS = 3


def deliveries(book, name, first, last):
    """The files of an input delivered within a span, by delivery and name."""
    found = sorted((book / name).glob("date=*/*.parquet"))
    return [str(file) for file in found if first <= date.fromisoformat(file.parent.name[5:]) <= last]


def points(characteristic):
    """The points of a characteristic's bins as a `case`."""
    feature, bins = characteristic["feature"], characteristic["bins"]
    arms = [f"when {feature} < {bin['below']} then {bin['points']}" for bin in bins[:-1]]
    missing = f"when {feature} is null then {characteristic['missing']}"
    return f"(case {missing} {' '.join(arms)} else {bins[-1]['points']} end)::integer"


def scores(scorecard):
    """The scores as a query over the table `features`."""
    characteristics, score = scorecard["characteristic"], scorecard["score"]
    points_of = {c["feature"]: f"points_{c['feature']}" for c in characteristics}
    names = [dimension["name"] for dimension in scorecard["dimension"]]
    dimensions = {
        name: " + ".join(points_of[c["feature"]] for c in characteristics if c["dimension"] == name)
        for name in names
    }
    bands = [f"when score >= {band['from']} then '{band['name']}'" for band in reversed(scorecard["band"])]

    # A shortfall as one integer: the largest first, ties in file order, its code at the bottom.
    codes, shortfalls = [], []
    for number, c in enumerate(characteristics):
        most = max([bin["points"] for bin in c["bins"]] + [c["missing"]])
        order = len(characteristics) - number
        shortfall = f"{most} - {points_of[c['feature']]}"
        key = f"(({shortfall}) * 64 + {order}) * 2 + ({c['feature']} is null)::integer"
        shortfalls.append(f"case when {shortfall} > 0 then {key} end")
        codes = [c["reason"], c.get("missing_reason", c["reason"])] + codes
    code_list = "[" + ", ".join(f"'{code}'" for code in codes) + "]"
    reasons = ", ".join(
        f"{code_list}[(shortfalls[{place}] & 127) - 1] as reason_{place}" for place in range(1, score["reasons"] + 1)
    )
    sums = [f"({sum})::integer as {name}" for name, sum in dimensions.items()]
    total = f"least({score['max']}, greatest({score['min']}, {score['base']} + {' + '.join(dimensions)}))"
    return f"""
        with pointed as (
            select *, {", ".join(f"{points(c)} as {points_of[c['feature']]}" for c in characteristics)}
            from features
        ),
        summed as (
            select *, {", ".join(sums)}, {total}::integer as score,
                list_reverse_sort(list_filter([{", ".join(shortfalls)}], lambda s: s is not null)) as shortfalls
            from pointed
        )
        select account_id, score, case {" ".join(bands)} end as band, {", ".join(dimensions)},
            {", ".join(points_of.values())}, {reasons}
        from summed"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("book", type=Path)
    parser.add_argument("scorecard", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--date", type=date.fromisoformat, required=True)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--memory", default="12GB")
    arguments = parser.parse_args()
    book, out, as_of = arguments.book, arguments.out, arguments.date
    scorecard = tomllib.loads(arguments.scorecard.read_text())
    out.mkdir(parents=True)

    database = duckdb.connect()
    database.execute(f"set memory_limit = '{arguments.memory}'")
    database.execute(f"set temp_directory = '{out / 'spilled'}'")
    if arguments.threads:
        database.execute(f"set threads = {arguments.threads}")
    span = LONGEST_WINDOW_DAYS + UNIQUE_WITHIN_DAYS
    inputs = {
        "transactions": deliveries(book, "transactions", as_of - timedelta(span - 1), as_of),
        "repayments": deliveries(book, "repayments", date.min, as_of),
        "lines": deliveries(book, "lines", as_of, as_of),
    }
    database.execute(f"set variable as_of = date '{as_of}'")
    for name, files in inputs.items():
        database.execute(f"set variable {name} = {files}")
    database.execute(Path(__file__).with_name("duckdb.sql").read_text())

    names = [feature["name"] for feature in scorecard["feature"]]
    features = f"select account_id, {', '.join(f'{name}::bigint as {name}' for name in names)} from features"
    for table, query in ("features", features), ("scores", scores(scorecard)):
        database.execute(f"""
            copy ({query} order by account_id) to '{out / table}.parquet'
            (format parquet, compression zstd, compression_level 1, row_group_size 262144)""")


if __name__ == "__main__":
    main()
