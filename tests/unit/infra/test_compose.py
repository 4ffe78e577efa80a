"""docker-compose.yml without Docker: it is valid, complete, pinned, and speaks the settings' own words."""

import re
from configparser import ConfigParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from jobs.settings import PROJECT, Settings

TEXT = (PROJECT / "docker-compose.yml").read_text(encoding="utf-8")
VARIABLE = re.compile(r"\$\{(\w+)([^}]*)\}")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
EXAMPLE = dict(
    line.split("=", 1)
    for line in (PROJECT / "infra" / ".env.example").read_text(encoding="utf-8").splitlines()
    if "=" in line and not line.startswith("#")
)


def environment(prefix: str) -> set[str]:
    return {key for service in SERVICES.values() for key in service.get("environment", {}) if key.startswith(prefix)}


def test_file_follows_the_compose_specification() -> None:
    merged = yaml.safe_dump(COMPOSE, allow_unicode=True)
    parsed = PyCompose.from_yaml(VARIABLE.sub("value", merged))
    assert set(parsed.service_names()) == set(SERVICES)


def test_every_part_of_the_lake_is_there() -> None:
    assert set(SERVICES) == {
        "postgres", "s3", "kafka", "spark-master", "spark-worker-1", "spark-worker-2", "spark-connect",
        "airflow-api-server", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer", "portal", "stream", "collector",
    }  # fmt: skip


@pytest.mark.parametrize("name", SERVICES)
def test_image_is_pinned_to_a_version(name: str) -> None:
    assert re.fullmatch(r"[\w./-]+:v?\d+(\.\d+)+[\w.-]*", SERVICES[name]["image"])


def test_base_image_of_the_build_is_pinned_to_a_version() -> None:
    lines = (PROJECT / "infra" / "images" / "Dockerfile").read_text(encoding="utf-8").splitlines()
    bases = [line for line in lines if line.startswith("FROM ")]
    assert bases and all(re.fullmatch(r"FROM [\w./-]+:\d+\.\d+\.\d+[\w.-]*", line) for line in bases)


@pytest.mark.parametrize("name", SERVICES)
def test_service_has_a_health_check(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")


@pytest.mark.parametrize("name", SERVICES)
def test_service_waits_for_healthy_services_that_exist(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        assert other in SERVICES
        assert how == {"condition": "service_healthy"}


@pytest.mark.parametrize("name", SERVICES)
def test_port_is_published_on_the_loopback_address_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


def test_every_variable_is_in_the_example_and_every_example_is_used() -> None:
    assert {match[1] for match in VARIABLE.finditer(TEXT)} == set(EXAMPLE)


def test_no_secret_has_a_default_or_a_value() -> None:
    assert all(match[2].startswith(":?") for match in VARIABLE.finditer(TEXT))
    assert set(EXAMPLE.values()) == {""}


def test_every_lake_variable_of_a_lake_process_is_a_setting() -> None:
    ours = {key for name, service in SERVICES.items() if service["image"].startswith("city-lake:")
            for key in service.get("environment", {}) if key.startswith("LAKE_")}  # fmt: skip
    assert ours
    assert {key.removeprefix("LAKE_").lower() for key in ours} <= set(Settings.model_fields)


def airflow_options() -> set[tuple[str, str]]:
    """Section and name of each option, from the description that Airflow ships; importing Airflow would write files."""
    spec = find_spec("airflow")
    assert spec is not None and spec.submodule_search_locations
    described = Path(spec.submodule_search_locations[0]) / "config_templates" / "config.yml"
    sections = yaml.safe_load(described.read_text(encoding="utf-8"))
    return {(section, option) for section, content in sections.items() for option in content["options"]}


def test_every_airflow_variable_is_an_option_of_airflow() -> None:
    named = {tuple(key.lower().split("__")[1:]) for key in environment("AIRFLOW__")}
    assert named and named <= airflow_options()


def test_airflow_cfg_holds_only_options_of_airflow() -> None:
    ours = ConfigParser(interpolation=None)
    ours.read(PROJECT / "infra" / "airflow" / "airflow.cfg", encoding="utf-8")
    assert {(section, option) for section in ours.sections() for option in ours[section]} <= airflow_options()
