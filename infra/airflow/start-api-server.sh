#!/bin/sh
# Airflow's first process in a container: writes the login, brings the database up to date, then serves.
set -eu
umask 077
python - <<'PY'
import json, os, pathlib
login = {os.environ["LAKE_AIRFLOW_USER"]: os.environ["LAKE_AIRFLOW_PASSWORD"]}
pathlib.Path(os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"]).write_text(json.dumps(login))
PY
airflow db migrate
airflow pools set spark 4 "Work on the Spark Connect server"
exec airflow api-server --host 0.0.0.0
