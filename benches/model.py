"""A scorecard fitted on one sample by rescore, optbinning and scorecardpy, each as its own documentation shows it: area under
the ROC curve on the rows held out, coefficients of the wrong sign, seconds.

    python3 benches/model.py --rescore target/release/rescore [--model jobs/taiwan/model.toml]

Needs what benches/requirements-model.txt names. The sample is drawn by rescore; the peers get its features as they are. Their
seconds are those of fitting, after imports and with the rows in memory; rescore's are those of the whole process, which reads
the sample and writes the card, its page and the job.

optbinning counts every bin by its weight of evidence of bad over good or of good over bad; either way all coefficients of a
logistic regression on it should have one sign. Those of the rarer sign are counted as wrong.
"""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

FIRST_COLUMNS = ["account_id", "as_of", "product", "weight", "outcome", "part"]


def wrong_signs(coefficients):
    """Coefficients of the rarer sign."""
    positive = sum(bool(one > 0) for one in coefficients)
    return min(positive, len(coefficients) - positive)


def fit_rescore(rescore, model, scratch):
    """Fits a card and scores the sample's held-out rows as fit.json tells."""
    began = time.perf_counter()
    command = [rescore, "fit", model, "--out", str(scratch / "jobs-fitted"), "--json"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seconds = time.perf_counter() - began
    record = json.loads(told)
    held_out = next(part for part in record["parts"] if part["part"] == "holdout")
    coefficients = [one["coefficient"] for one in record["characteristics"]]
    return {
        "fitted by": "rescore",
        "AUC held out": held_out["auc_bp"] / 10_000,
        "characteristics": len(coefficients),
        "wrong signs": wrong_signs(coefficients),
        "seconds": seconds,
    }


def fit_optbinning(train, held_out, features):
    """optbinning's tutorial of a scorecard: a binning process, a logistic regression, points."""
    from optbinning import BinningProcess, Scorecard

    began = time.perf_counter()
    process = BinningProcess(features)
    card = Scorecard(
        binning_process=process,
        estimator=LogisticRegression(solver="lbfgs", max_iter=1_000),
        scaling_method="min_max",
        scaling_method_params={"min": 300, "max": 850},
    )
    card.fit(train[features], train["bad"])
    seconds = time.perf_counter() - began
    coefficients = list(card.estimator_.coef_[0])
    auc = roc_auc_score(held_out["bad"], card.predict_proba(held_out[features])[:, 1])
    return {
        "fitted by": "optbinning",
        "AUC held out": auc,
        "characteristics": len(coefficients),
        "wrong signs": wrong_signs(coefficients),
        "seconds": seconds,
    }


def fit_scorecardpy(train, held_out, features):
    """scorecardpy's example: filter, bins, weights of evidence, a logistic regression with an L1 penalty."""
    import scorecardpy as sc

    began = time.perf_counter()
    kept = sc.var_filter(train[[*features, "bad"]], y="bad")
    bins = sc.woebin(kept, y="bad", no_cores=1)
    woe = sc.woebin_ply(kept, bins)
    columns = [name for name in woe.columns if name != "bad"]
    regression = LogisticRegression(penalty="l1", C=0.9, solver="saga", max_iter=1_000)
    regression.fit(woe[columns], woe["bad"])
    seconds = time.perf_counter() - began
    coefficients = [one for one in regression.coef_[0] if one != 0]
    others = sc.woebin_ply(held_out[[name for name in kept.columns]], bins)
    auc = roc_auc_score(others["bad"], regression.predict_proba(others[columns])[:, 1])
    return {
        "fitted by": "scorecardpy",
        "AUC held out": auc,
        "characteristics": len(coefficients),
        "wrong signs": wrong_signs(coefficients),
        "seconds": seconds,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rescore", default="target/release/rescore")
    parser.add_argument("--model", default="jobs/taiwan/model.toml")
    arguments = parser.parse_args()
    subprocess.run([arguments.rescore, "sample", arguments.model, "-q"], check=True)
    sample = pd.read_parquet(Path(arguments.model).with_name("sample.parquet"))
    sample = sample[sample["outcome"].isin(["good", "bad"])]
    features = [name for name in sample.columns if name not in FIRST_COLUMNS]
    sample = sample.assign(bad=(sample["outcome"] == "bad").astype(int))
    sample[features] = sample[features].astype(float)
    train, held_out = (sample[sample["part"] == part] for part in ["train", "holdout"])
    with tempfile.TemporaryDirectory() as scratch:
        rows = [fit_rescore(arguments.rescore, arguments.model, Path(scratch))]
    rows.append(fit_optbinning(train, held_out, features))
    rows.append(fit_scorecardpy(train, held_out, features))
    print(f"{len(train):,} rows fitted on, {len(held_out):,} held out, {len(features)} features\n")
    print("| " + " | ".join(rows[0]) + " |")
    print("|---" * len(rows[0]) + "|")
    for row in rows:
        cells = [f"{value:.4f}" if name == "AUC held out" else f"{value:.1f}" if name == "seconds" else str(value)
                 for name, value in row.items()]
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
