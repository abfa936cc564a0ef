"""The nightly run by Airflow, a task a night: `airflow dags backfill rescore_nightly -s 2026-11-01 -e 2026-11-20`.

Nights run in order, one at a time, each for the day that its interval begins with. A night that is published already is
left alone, so clearing a task and running it again is always safe. What a gate holds, or is refused, is not tried again.
"""

import subprocess
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow import DAG
from airflow.exceptions import AirflowException, AirflowFailException
from airflow.operators.python import PythonOperator

JOB = "/srv/rescore/jobs/nightly.toml"

# Exit codes at which trying again comes to the same: a mistake in the job, held by a gate, refused.
NOT_AGAIN = {2, 4, 6}


def run_night(day: str) -> None:
    """Runs the night of a day; its log, a line of JSON a record, is the task's."""
    command = ["rescore", "run", JOB, "--date", day, "--json"]
    ended = subprocess.run(command, check=False)
    if ended.returncode in NOT_AGAIN:
        raise AirflowFailException(f"the night of {day} ended with {ended.returncode}")
    if ended.returncode != 0:
        raise AirflowException(f"the night of {day} ended with {ended.returncode}")


with DAG(
    dag_id="rescore_nightly",
    description="Nightly rescoring of accounts and credit lines",
    schedule="30 1 * * *",
    start_date=datetime(2026, 11, 1, tzinfo=ZoneInfo("Asia/Shanghai")),
    catchup=True,
    max_active_runs=1,
    default_args={
        "depends_on_past": True,
        "retries": 8,
        "retry_delay": timedelta(minutes=30),
        "execution_timeout": timedelta(hours=6),
    },
    tags=["risk"],
) as dag:
    PythonOperator(
        task_id="night",
        python_callable=run_night,
        # The day on which the interval begins in the schedule's zone: at half past one the day before has ended.
        op_kwargs={"day": "{{ data_interval_start.in_timezone('Asia/Shanghai').strftime('%Y-%m-%d') }}"},
    )
