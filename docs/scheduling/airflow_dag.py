"""garrison every night: tables of political events and stances from news.

The run needs no arguments of a date: it reads what is new. Exit code 5 (nothing new) skips what comes after; code 3
(partial success: the tables are published, but too much was rejected) fails the check after it, not the run.
"""

import datetime

from airflow import DAG
from airflow.providers.standard.operators.bash import BashOperator

RUN = "garrison --log-format json run /etc/garrison/pipeline.toml --error-on-empty"
OUTPUT = "/var/lib/garrison/out"

with DAG(
    dag_id="garrison",
    schedule="0 2 * * *",
    start_date=datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc),
    catchup=False,
    # A run that is late is not overtaken by the next.
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": datetime.timedelta(minutes=10)},
) as dag:
    run = BashOperator(
        task_id="run",
        bash_command=f"{RUN}; code=$?; [ $code -eq 3 ] && exit 0; exit $code",
        skip_on_exit_code=5,
        cwd="/var/lib/garrison",
    )
    validate = BashOperator(task_id="validate", bash_command=f"garrison validate {OUTPUT}", retries=0)
    check_rejects = BashOperator(
        task_id="check_rejects",
        bash_command=f"""python3 -c 'import json; c = json.load(open("{OUTPUT}/run.json"))["counts"]; """
        """assert c["unreadable"] == 0 and c["rejected"] <= 0.05 * c["read"], c'""",
        retries=0,
    )
    run >> [validate, check_rejects]
