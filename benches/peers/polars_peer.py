"""The shipped job's features and scores in polars, lazy, on the streaming engine.

    polars_peer.py BOOK SCORECARD OUT --date D

BOOK holds transactions/, repayments/ and lines/ by `date=`; OUT gets features.parquet and
scores.parquet. Limits are not decided about, so `rescore` does more in its time than this does.
POLARS_MAX_THREADS bounds its threads.
"""

import argparse
import tomllib
from datetime import date, timedelta
from pathlib import Path

import polars as pl

LONGEST_WINDOW_DAYS = 365
UNIQUE_WITHIN_DAYS = 3
TOLERANCE = 100
GIVEN_KINDS = ["salary", "transfer_in", "transfer_out", "purchase", "withdrawal", "cash_advance", "fee"]


def scan(book, name, first, last, **options):
    """An input's files delivered within a span, by delivery and name, with the delivery as `date`."""
    found = sorted((book / name).glob("date=*/*.parquet"))
    files = [file for file in found if first <= date.fromisoformat(file.parent.name[5:]) <= last]
    return pl.scan_parquet(files, hive_partitioning=True, **options)


def of_lines(book, as_of):
    col, kept = pl.col, pl.col("status") != "closed"
    accepted = scan(book, "lines", as_of, as_of).filter(
        col("account_id").is_not_null(), col("product") != "", col("opened_on").is_not_null(),
        col("credit_limit") >= 0, col("balance").is_not_null(),
        col("status").is_in(["active", "suspended", "closed"]),
        *((col(day) <= col("date")).fill_null(True) for day in ["opened_on", "increased_on", "decreased_on", "status_since"]),
    )
    single = accepted.filter(pl.len().over("account_id", "product") == 1)
    return single.group_by("account_id").agg(
        days_on_book=(as_of - col("opened_on").min()).dt.total_days(),
        suspended_lines=(col("status") == "suspended").sum(),
        total_limit=col("credit_limit").filter(kept).sum(),
        total_balance=col("balance").sum(),
        drawn=col("balance").filter(kept).sum(),
        pay_later_limit=col("credit_limit").filter(kept, col("product").is_in(["huabei", "fenfu"])).sum(),
    )


def of_transactions(book, as_of):
    """Features by window: shorter windows read fewer files and columns."""
    col = pl.col
    first = as_of - timedelta(LONGEST_WINDOW_DAYS + UNIQUE_WITHIN_DAYS - 1)
    delivered = scan(book, "transactions", first, as_of, row_index_name="row").filter(
        col("account_id").is_not_null(), col("amount").is_not_null(), col("posted_on") <= col("date")
    )
    # Rows sent twice: ids that occur more than once are few; only their rows are put in order.
    repeated = delivered.group_by("transaction_id").len().filter(col("len") > 1, col("transaction_id").is_not_null())
    since_last = col("date").diff().over("transaction_id", order_by="row")
    repeats = (
        delivered.select("row", "date", "transaction_id")
        .join(repeated, on="transaction_id", how="semi")
        .filter(since_last <= timedelta(UNIQUE_WITHIN_DAYS))
        .select("row")
        .collect(engine="streaming")
    )

    def window(days):
        start = as_of - timedelta(days)
        rows = delivered.filter(col("date") > start, col("posted_on") > start)    # none is older than its delivery
        return rows.join(repeats.lazy(), on="row", how="anti")

    age = (as_of - col("posted_on")).dt.total_days()
    is_purchase = col("kind") == "purchase"
    is_inflow = col("kind").is_in(["salary", "transfer_in"])
    is_spending = col("kind").is_in(["purchase", "refund"])
    on_credit = col("product").is_not_null()
    is_cash_like = col("category").is_in(["jewellery", "gift_cards"]) & on_credit
    is_round_cash_like = is_purchase & is_cash_like & (col("amount") % 10_000 == 0)
    is_income = (col("kind") == "salary") | (col("kind") == "transfer_in") & (col("amount") >= 50_000)
    of_365_days = window(365).group_by("account_id").agg(
        active_days_365d=col("posted_on").n_unique(),
        inflow_95d=col("amount").filter(is_inflow, age < 95).sum(),
        inflow_365d=col("amount").filter(is_inflow).sum(),
        days_since_income=age.filter(is_income).min(),
    )
    is_refund = col("kind") == "refund"
    of_1_day = window(1).group_by("account_id").agg(
        rows_1d=pl.len(),
        sound_rows_1d=(
            col("kind").is_in(GIVEN_KINDS) & (col("amount") >= 0) | is_refund & (col("amount") <= 0)
        ).sum(),
        purchases_1d=is_purchase.sum(),
        transfers_out_1d=(col("kind") == "transfer_out").sum(),
        transfers_in_1d=(col("kind") == "transfer_in").sum(),
        salaries_1d=(col("kind") == "salary").sum(),
        credit_purchases_1d=(is_purchase & on_credit).sum(),
        largest_purchase_1d=col("amount").filter(is_purchase).max(),
        gift_cards_1d=is_round_cash_like.sum(),
    )
    of_180_days = window(180).filter(is_purchase).group_by("account_id").agg(
        days_since_purchase=age.min(),
        merchants_180d=col("merchant_id").drop_nulls().n_unique(),
        utilities_180d=(col("category") == "utilities").sum(),
    )
    conditions = window(90).select(
        "account_id", "posted_on", "amount", "category",
        age=age,
        is_purchase=is_purchase,
        is_spending=is_spending,
        is_outflow=is_spending | col("kind").is_in(["transfer_out", "withdrawal", "fee"]),
        is_credit_purchase=col("kind").is_in(["purchase", "cash_advance"]) & on_credit,
        is_cash_like=is_spending & is_cash_like,
        is_round_cash_like=is_round_cash_like,
    )
    amount = col("amount")
    of_90_days = conditions.group_by("account_id").agg(
        outflow_90d=amount.filter(col("is_outflow")).sum(),
        spend_90d=amount.filter(col("is_spending")).sum(),
        purchases_90d=col("is_purchase").sum(),
        active_days_30d=col("posted_on").filter(col("age") < 30).n_unique(),
        categories_90d=col("category").filter(col("is_purchase")).drop_nulls().n_unique(),
        cash_like_90d=amount.filter(col("is_cash_like")).sum(),
        round_cash_like_90d=col("is_round_cash_like").sum(),
        round_cash_like_sum_90d=amount.filter(col("is_round_cash_like")).sum(),
        cash_like_7d=amount.filter(col("is_round_cash_like"), col("age") < 7).sum(),
        credit_purchases_90d=col("is_credit_purchase").sum(),
    )
    return [of_1_day, of_90_days, of_180_days, of_365_days]


def of_bills(book, as_of):
    col, bill = pl.col, ["account_id", "product", "bill_id"]
    no_payment = col("paid_on").is_null()
    rows = scan(book, "repayments", date.min, as_of).filter(
        col("account_id").is_not_null(), col("product") != "", col("bill_id").is_not_null(),
        col("due_on").is_not_null(), col("due_amount") > 0,
        pl.when(no_payment).then(col("paid_amount").fill_null(0) == 0).otherwise(col("paid_amount").is_not_null()),
        (col("paid_on") <= col("date")).fill_null(True),
    )
    folded = rows.group_by(bill).agg(
        col("due_on").min(), col("due_amount").max(),
        latest_due_on=col("due_on").max(), least_due_amount=col("due_amount").min(),
        payments=col("paid_on").count(), paid=col("paid_amount").sum(), last_paid_on=col("paid_on").max(),
    ).collect(engine="streaming").lazy()
    # Most bills have one set of terms and at most one payment. The others take the long way: the latest
    # delivery's terms, and the running sum of payments day by day.
    is_plain = (
        (col("payments") <= 1)
        & (col("due_on") == col("latest_due_on"))
        & (col("due_amount") == col("least_due_amount"))
    )
    is_enough = col("paid") >= pl.max_horizontal(1, col("due_amount") - TOLERANCE)
    plain = folded.filter(is_plain).with_columns(settled_on=pl.when(is_enough).then("last_paid_on"))
    others = rows.join(folded.filter(~is_plain), on=bill, how="semi").collect(engine="streaming").lazy()
    terms = (
        others.filter(col("date") == col("date").max().over(bill))
        .group_by(bill).agg(col("due_on").min(), col("due_amount").max())
    )
    short_on = col("paid_on").filter(~is_enough).max()
    settled = (
        others.filter(~no_payment)
        .group_by(*bill, "paid_on").agg(paid=col("paid_amount").sum())
        .sort(*bill, "paid_on")
        .with_columns(col("paid").cum_sum().over(bill))
        .join(terms, on=bill)
        .group_by(bill).agg(
            col("paid").sort_by("paid_on").last(),
            settled_on=col("paid_on").filter((col("paid_on") > short_on).fill_null(True)).min(),
        )
    )
    long_way = terms.join(settled, on=bill, how="left").with_columns(col("paid").fill_null(0))
    columns = ["account_id", "product", "due_on", "due_amount", "paid", "settled_on"]
    due = pl.concat([plain.select(columns), long_way.select(columns)]).filter(col("due_on") <= as_of)

    late = (col("settled_on").fill_null(as_of) - col("due_on")).dt.total_days()
    bills = due.with_columns(
        age=(as_of - col("due_on")).dt.total_days(),
        is_open=col("settled_on").is_null(),
        days_late=pl.max_horizontal(late, 0),
        outstanding=pl.max_horizontal(col("due_amount") - col("paid"), 0),
    )
    is_open, days_late, age = col("is_open"), col("days_late"), col("age")
    is_judged = ~(is_open & (days_late == 0))
    return bills.group_by("account_id").agg(
        bills_due_365d=((age < 365) & is_judged).sum(),
        bills_due_90d=((age < 90) & is_judged).sum(),
        on_time_365d=((age < 365) & ~is_open & (days_late == 0)).sum(),
        oldest_open_days=days_late.filter(is_open).max(),
        open_bills=is_open.sum(),
        bills_due_1d=(age < 1).sum(),
        bills_open_1d=((age < 1) & is_open).sum(),
        bills_14d=(age < 14).sum(),
        sound_bills_14d=((age < 14) & (col("paid") <= col("due_amount") + 10_000)).sum(),
        billed_products_14d=col("product").filter(age < 14).n_unique(),
        largest_bill_30d=col("due_amount").filter(age < 30).max(),
        huabei_days_past_due=days_late.filter(is_open, col("product") == "huabei").max(),
        fenfu_days_past_due=days_late.filter(is_open, col("product") == "fenfu").max(),
        jiebei_days_past_due=days_late.filter(is_open, col("product") == "jiebei").max(),
        overdue_amount=col("outstanding").filter(is_open, days_late > 0).sum(),
        worst_days_late_180d=days_late.filter(age < 180, is_judged).max(),
        late_bills_90d=((age < 90) & (days_late > 2)).sum(),
        late_bills_365d=((age < 365) & (days_late > 0)).sum(),
        billed_90d=col("due_amount").filter(age < 90).sum(),
    )


def ratio(scale, a, b):
    """scale × a ÷ b, truncated toward zero; null where b is 0 or either is null."""
    a, b = pl.col(a).cast(pl.Int128), pl.col(b).cast(pl.Int128)
    return pl.when(b != 0).then((scale * a.abs() // b.abs()) * a.sign() * b.sign()).cast(pl.Int64)


def features(book, as_of):
    """By account: everything declared in the scorecard."""
    col = pl.col
    joined = of_lines(book, as_of)
    for part in [of_bills(book, as_of), *of_transactions(book, as_of)]:
        joined = joined.join(part, on="account_id", how="left")
    # Without rows a count or sum is 0; min, max and days_since stay null.
    stay_null = [
        "oldest_open_days", "huabei_days_past_due", "fenfu_days_past_due", "jiebei_days_past_due",
        "worst_days_late_180d", "days_since_income", "days_since_purchase", "largest_purchase_1d",
        "largest_bill_30d",
    ]
    whole = joined.with_columns(pl.exclude("account_id", *stay_null).cast(pl.Int64).fill_null(0))
    is_falling = (col("inflow_95d") * 4 < col("inflow_365d")) | (col("days_on_book") < 365)
    whole = whole.with_columns(
        sustained_income=pl.when(is_falling).then(col("inflow_95d") * 4).otherwise("inflow_365d"),
    )
    ratios = whole.with_columns(
        on_time_rate_bp=ratio(10_000, "on_time_365d", "bills_due_365d"),
        inflow_trend_bp=ratio(10_000, "sustained_income", "inflow_365d"),
        outflow_to_inflow_bp=ratio(40_000, "outflow_90d", "sustained_income"),
        cash_like_share_bp=ratio(10_000, "cash_like_90d", "spend_90d"),
        utilisation_bp=ratio(10_000, "drawn", "total_limit"),
        balance_to_inflow_bp=ratio(40_000, "total_balance", "sustained_income"),
        bills_to_inflow_bp=ratio(40_000, "billed_90d", "sustained_income"),
        overdue_to_inflow_bp=ratio(40_000, "overdue_amount", "sustained_income"),
        limit_to_inflow_bp=ratio(40_000, "total_limit", "sustained_income"),
        cash_like_to_limit_bp=ratio(10_000, "round_cash_like_sum_90d", "pay_later_limit"),
        burst_to_limit_bp=ratio(10_000, "cash_like_7d", "pay_later_limit"),
    )
    no_bill = (col("bills_due_365d") == 0) & col("oldest_open_days").is_null()
    cashed_out = (
        (col("round_cash_like_90d") >= 3)
        & (col("round_cash_like_sum_90d") >= 300_000)
        & ((col("cash_like_to_limit_bp").fill_null(0) >= 6000) | (col("burst_to_limit_bp").fill_null(0) >= 5000))
        & (col("cash_like_share_bp").fill_null(0) >= 2500)
    )
    return ratios.with_columns(
        days_past_due=pl.when(~no_bill).then(col("oldest_open_days").fill_null(0)),
        recent_late_bills=pl.when(col("bills_due_90d") != 0).then("late_bills_90d"),
        debt_burden_bp=pl.when(col("total_balance") <= 0).then(0).otherwise("balance_to_inflow_bp"),
        bill_burden_bp=pl.when(col("billed_90d") == 0).then(0).otherwise("bills_to_inflow_bp"),
        arrears_burden_bp=pl.when(col("overdue_amount") == 0).then(0).otherwise("overdue_to_inflow_bp"),
        cash_out_suspected=cashed_out.cast(pl.Int64),
    )


def points(characteristic):
    """The points of a characteristic's bins."""
    value, bins = pl.col(characteristic["feature"]), characteristic["bins"]
    chain = pl.when(value.is_null()).then(characteristic["missing"])
    for bin in bins[:-1]:
        chain = chain.when(value < bin["below"]).then(bin["points"])
    return chain.otherwise(bins[-1]["points"]).cast(pl.Int32).alias(f"points_{characteristic['feature']}")


def scores(table, scorecard):
    """By account: score, band, dimensions, points and reasons."""
    col, characteristics, score = pl.col, scorecard["characteristic"], scorecard["score"]
    dimensions = [dimension["name"] for dimension in scorecard["dimension"]]
    columns = [f"points_{c['feature']}" for c in characteristics]
    of_dimension = {
        name: pl.sum_horizontal(f"points_{c['feature']}" for c in characteristics if c["dimension"] == name)
        for name in dimensions
    }
    # A shortfall as one integer: the largest first, ties in file order, its code at the bottom.
    shortfalls, codes = [], {}
    for number, c in enumerate(characteristics):
        most = max([bin["points"] for bin in c["bins"]] + [c["missing"]])
        code = 2 * (len(characteristics) - number)
        codes |= {code: c["reason"], code + 1: c.get("missing_reason", c["reason"])}
        shortfall = most - col(f"points_{c['feature']}")
        key = shortfall * 128 + code + col(c["feature"]).is_null().cast(pl.Int32)
        shortfalls.append(pl.when(shortfall > 0).then(key))
    code_of = pl.Series([codes.get(code) for code in range(128)])
    bands = pl.lit(None, pl.String)
    for band in scorecard["band"]:
        bands = pl.when(col("score") >= band["from"]).then(pl.lit(band["name"])).otherwise(bands)
    ranked = pl.concat_list(shortfalls).list.sort(descending=True, nulls_last=True)
    return (
        table.with_columns(points(c) for c in characteristics)
        .with_columns(**of_dimension, shortfalls=ranked)
        .with_columns(score=(score["base"] + pl.sum_horizontal(dimensions)).clip(score["min"], score["max"]))
        .select(
            "account_id", col("score").cast(pl.Int32), bands.alias("band"), col(dimensions).cast(pl.Int32), *columns,
            *(
                pl.lit(code_of).gather(col("shortfalls").list.get(place) % 128).alias(f"reason_{place + 1}")
                for place in range(score["reasons"])
            ),
        )
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("book", type=Path)
    parser.add_argument("scorecard", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--date", type=date.fromisoformat, required=True)
    arguments = parser.parse_args()
    scorecard = tomllib.loads(arguments.scorecard.read_text())
    names = [feature["name"] for feature in scorecard["feature"]]
    table = features(arguments.book, arguments.date).select("account_id", pl.col(names).cast(pl.Int64))
    table = table.sort("account_id").collect(engine="streaming")
    arguments.out.mkdir(parents=True)
    written = {"compression": "zstd", "compression_level": 1, "row_group_size": 262_144}
    table.write_parquet(arguments.out / "features.parquet", **written)
    scored = scores(table.lazy(), scorecard).collect(engine="streaming")
    scored.write_parquet(arguments.out / "scores.parquet", **written)


if __name__ == "__main__":
    main()
