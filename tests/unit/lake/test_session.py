"""Which errors of the engine's client mean that the engine is unavailable, so that the work is tried again in a new session."""

import pytest
from pyspark.errors import PySparkRuntimeError
from pyspark.errors.exceptions.connect import SparkConnectException
from pyspark.sql.connect.client import SparkConnectClient

from jobs.lake.session import is_unavailable


def test_a_session_that_the_client_closed_since_the_engine_was_restarted_is_unavailable() -> None:
    client = SparkConnectClient("sc://127.0.0.1:1")
    client.close()  # as pyspark does when the server answers SESSION_CHANGED
    with pytest.raises(SparkConnectException) as error:
        client.get_configs("spark.app.name")
    assert is_unavailable(error.value)


def test_so_is_one_that_great_expectations_no_longer_finds() -> None:
    assert is_unavailable(PySparkRuntimeError(errorClass="CONNECT_URL_NOT_SET", messageParameters={}))
