"""Every Airflow process imports this. The scheduler's children run the tasks: what is heavy to import, it imports once."""

import sys

if "scheduler" in sys.argv:
    import deltalake  # noqa: F401
    import great_expectations  # noqa: F401
    import pyspark.sql.connect.session  # noqa: F401
