#!/bin/sh
# A night on a cluster that spark-submit reaches: `jobs/spark/submit.sh 2026-11-20`.
#
# The wheel and what it runs in travel with the job as an archive, so that machines need nothing but Java and the
# libraries of the system. Made once for a version of rescore and of Python:
#
#     python3 -m venv rescore-env && rescore-env/bin/pip install rescore-*.whl pyarrow 'pandas<3' venv-pack
#     rescore-env/bin/venv-pack --output rescore-env.tar.gz
#
# A task is a process outside of the heap of Java: memory is asked for it as overhead, 2 GB a core here, which parts of
# 500,000 accounts need at most. How to reckon it: docs/cluster.md.
set -eu
export PYSPARK_PYTHON=./environment/bin/python
exec spark-submit \
    --master "${MASTER:-yarn}" \
    --deploy-mode "${DEPLOY_MODE:-cluster}" \
    --archives rescore-env.tar.gz#environment \
    --conf spark.yarn.appMasterEnv.PYSPARK_PYTHON=./environment/bin/python \
    --conf spark.executor.instances=25 \
    --conf spark.executor.cores=8 \
    --conf spark.executor.memory=1g \
    --conf spark.executor.memoryOverhead=16g \
    --conf spark.task.cpus=1 \
    --conf spark.driver.memory=2g \
    --conf spark.driver.memoryOverhead=6g \
    --conf spark.speculation=true \
    --conf spark.speculation.quantile=0.9 \
    "$(dirname "$0")/night.py" \
    run s3://lender/jobs/nightly.toml --date "$1" --parts 1000 --work s3://lender/.parts
