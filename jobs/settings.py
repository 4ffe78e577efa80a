"""Every endpoint, credential and path, read once and frozen.

Order: environment (`LAKE_…`), then `<home>/endpoints.env` which `lake up` writes for the services
that it started, then the defaults below. Nothing else in the code reads the environment.
"""

import os
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PROJECT = Path(__file__).resolve().parents[1]
# The lake's own tables belong to its code: their contracts are here, whatever folder LAKE_SCHEMAS names.
OWN_SCHEMAS = PROJECT / "schemas"


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="LAKE_", frozen=True, extra="ignore")

    home: Path = Field(PROJECT / ".lake", description="State of the embedded services: data, logs, process ids.")
    schemas: Path = Field(OWN_SCHEMAS, description="Folder of the data contracts.")
    expectations: Path = Field(PROJECT / "expectations", description="Folder of the Great Expectations suites.")
    cache: Path = Field(
        Path.home() / ".cache" / "city-lake", description="Jars and environments, shared by all checkouts."
    )

    s3_endpoint: str = Field("", description="URL of the S3 server; empty until `lake up` has started one.")
    s3_access_key: str = ""
    s3_secret_key: SecretStr = SecretStr("")
    s3_region: str = "us-east-1"
    s3_bucket: str = Field("lake", description="Bucket that holds landing, bronze, silver, gold and the rest.")

    spark_remote: str = Field("", description="Spark Connect URL, such as sc://127.0.0.1:15002.")
    spark_token: SecretStr = Field(
        SecretStr(""),
        description="Token that the Spark server expects of its clients; empty until `lake up` has generated one.",
    )
    spark_ui: str = Field(
        "", description="URL of the Spark server's web UI; empty: it has none. Anyone who reaches it may read it."
    )
    spark_memory: str = Field("2g", description="Heap of the embedded Spark server.")

    kafka_servers: str = Field("", description="Kafka brokers, host:port separated by commas; empty: no streams.")
    kafka_controller: str = Field("", description="Address at which the embedded broker controls itself.")
    kafka_prefix: str = Field("", description="Beginning of the names of the lake's topics, where lakes share brokers.")
    kafka_user: str = "lake"
    kafka_password: SecretStr = Field(SecretStr(""), description="Empty: the brokers ask for no login.")
    kafka_security: Literal["SASL_PLAINTEXT", "SASL_SSL"] = "SASL_PLAINTEXT"
    mqtt_url: str = Field("", description="MQTT server of devices, such as mqtt://user@host:1883, or mqtts:// for TLS.")
    mqtt_password: SecretStr = SecretStr("")
    mqtt_ca: Path | None = Field(
        None,
        description="Certificate of the authority that signed the MQTT server's; absent: those that this machine trusts.",
    )
    mqtt_version: Literal["5", "3.1.1"] = "5"
    mqtt_client: str = Field("lake-bridge", description="Client id: the MQTT server keeps messages for it.")
    mqtt_topics: str = Field("telemetry/#", description="Topics to subscribe to.")
    collector_url: str = Field("", description="URL at which devices send readings; empty until `lake up` started it.")

    database_url: str = Field("", description="SQLAlchemy URL of ledger and tickets; empty means SQLite in home.")

    airflow_url: str = Field("", description="URL of the Airflow API server.")
    airflow_user: str = "admin"
    airflow_password: SecretStr = SecretStr("")
    airflow_database_url: str = Field(
        "", description="SQLAlchemy URL of Airflow's own database; empty: SQLite in home."
    )

    contacts: Path | None = Field(None, description="YAML file of mail addresses by department; none: no mail is sent.")
    smtp_host: str = Field("", description="Mail server for reminders; empty: no mail is sent.")
    smtp_port: int = 25
    smtp_security: Literal["none", "starttls", "tls"] = "starttls"
    smtp_sender: str = Field("", description="Address that reminders come from.")
    smtp_user: str = Field("", description="Empty: the mail server needs no password.")
    smtp_password: SecretStr = SecretStr("")
    wecom_url: SecretStr = Field(SecretStr(""), description="Address of a WeCom group robot, with its key.")
    dingtalk_url: SecretStr = Field(SecretStr(""), description="Address of a DingTalk group robot, with its token.")
    dingtalk_secret: SecretStr = Field(
        SecretStr(""), description="Signing secret of the DingTalk robot, if it has one."
    )

    portal_url: str = Field("", description="URL of the portal; empty until `lake up` has started one.")
    portal_public_url: str = Field(
        "", description="URL of the portal for its users, where it runs behind a proxy; OIDC redirects there."
    )
    portal_secure: bool = Field(False, description="Send cookies over TLS only; to be set behind a TLS proxy.")
    portal_trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (), description="Networks of the proxies whose X-Forwarded-For is trusted, separated by commas: 10.0.0.0/8,::1."
    )
    portal_idle_min: int = Field(30, description="Minutes without a request after which a session ends.")
    portal_session_h: int = Field(12, description="Hours after which a session ends in any case.")
    portal_upload_mib: int = Field(1024, description="Largest file that the portal accepts.")
    sql_url: str = Field("", description="Address of the SQL service; empty until `lake up` has started one.")
    sql_flight_url: str = Field(
        "", description="Address of the SQL service for Arrow Flight SQL; empty until `lake up` has started one."
    )
    sql_flight_memory: str = Field(
        "2GiB", description="Memory for all answers that clients of Flight SQL have not read; of one user, a quarter."
    )
    sql_tls_certificate: Path | None = Field(
        None, description="Certificate of the SQL service, PEM; none: no TLS, loopback only."
    )
    sql_tls_key: Path | None = Field(None, description="Key of that certificate, PEM.")
    sql_timeout_s: int = Field(60, description="Seconds after which a query of the SQL service is stopped.")
    sql_rows: int = Field(100_000, description="Most rows of an answer of the SQL service.")
    sql_memory: str = Field("1GiB", description="Memory for the queries of one user.")
    sql_total_memory: str = Field(
        "6GiB", description="Memory over which the SQL service drops what it keeps for users without a running query."
    )
    sql_queries: int = Field(4, description="Queries of one user that the SQL service runs concurrently.")
    sql_read: str = Field(
        "10GiB", description="Bytes of tables over which the SQL service asks before it runs a query."
    )
    oidc_issuer: str = Field("", description="URL of an OIDC identity provider; empty: people log in with passwords.")
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_role_claim: str = Field("roles", description="Claim whose value, or one of its values, is the role.")
    oidc_department_claim: str = Field("department", description="Claim that holds the department.")
    oidc_roles: dict[str, str] = Field({}, description="JSON: role of the portal by value of the role claim.")
    oidc_departments: dict[str, str] = Field({}, description="JSON: provider id by value of the department claim.")
    bureau: str = Field(
        "",
        description="Bureau that issues bulletins: its name at their head and in the signature; empty: that of the city.",
    )
    fonts: Path | None = Field(None, description="Folder of Chinese fonts for PDFs; none: Debian's font folder.")

    timezone: str = Field("Asia/Shanghai", description="Time zone of what people see; storage is UTC.")
    wait_s: int = Field(180, description="How long a step waits for an unavailable service before it gives up.")

    @field_validator("portal_trusted_proxies", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return value.replace(",", " ").split() if isinstance(value, str) else value

    def brokers(self) -> str:
        """The Kafka brokers as clients expect them."""
        return self.kafka_servers.removeprefix("kafka://")

    def flight_url(self) -> str:
        """The address of the SQL service as clients of Flight SQL write it: with TLS it has another scheme."""
        return self.sql_flight_url.replace("grpc://", "grpc+tls://" if self.sql_tls_certificate else "grpc://")

    def state_url(self) -> str:
        """SQLAlchemy URL of the database with ledger and tickets."""
        return self.database_url or f"sqlite:///{self.home / 'state.db'}"


@lru_cache
def load(home: Path | None = None) -> Settings:
    """The settings of this process, read once."""
    chosen = Path(home or os.environ.get("LAKE_HOME") or PROJECT / ".lake").resolve()
    return Settings(_env_file=chosen / "endpoints.env", _env_file_encoding="utf-8", home=chosen)
