"""The files by which others run us: what they name is there, and nobody is let in by them."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from flows.commands.cli import app
from flows.config.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "flows" / "shares" / "README.md"
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PAGE = README.read_text()
FILES = {"compose.yaml": (ROOT / "compose.yaml").read_text(), "Dockerfile": DOCKERFILE, "README.md": PAGE}
MANIFEST = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0])
OURS = [name for name, service in COMPOSE["services"].items() if service["image"].startswith("paperround")]


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every command that one of the files starts, with the place where it stands."""
    yield "Dockerfile", json.loads(re.findall(r"^CMD (.+)$", DOCKERFILE, re.MULTILINE)[-1])
    yield "the manifest", MANIFEST["spec"]["template"]["spec"]["containers"][0]["command"]
    for name in OURS:
        yield name, COMPOSE["services"][name]["command"]
    for line in re.findall(r"^ExecStart=/opt/paperround/bin/(.+)$", PAGE, re.MULTILINE):
        yield "a unit", shlex.split(line)
    for line in re.findall(r"^prefect .+$", PAGE, re.MULTILINE):
        yield "README.md", shlex.split(line)


def single(command: list[str]) -> Iterator[list[str]]:
    """What a shell is given, command by command."""
    if command[:2] != ["sh", "-c"]:
        yield command
        return
    for part in re.split(r"\|\||&&|;", command[2]):
        yield shlex.split(part.replace(">/dev/null", ""))


EVERY = [(place, part) for place, command in commands() for part in single(command)]


@pytest.mark.parametrize(("place", "command"), EVERY, ids=lambda value: " ".join(value) if value else "")
def test_every_command_is_there_with_its_options(place: str, command: list[str]) -> None:
    from prefect.cli._app import _app

    program, *rest = command
    if program == "prefect":
        _app.parse_args(rest, exit_on_error=False, print_error=False)  # raises
        return
    if program == "python":
        assert rest[:2] == ["-m", "flows"], place
        rest = rest[2:]
    else:
        assert program == "paperround", place
    call: Any = typer.main.get_command(app)
    name, *options = rest
    call.commands[name].make_context(name, options)  # raises


def test_settings_that_are_named_exist() -> None:
    from prefect.settings import Settings as Theirs
    from prefect.settings.legacy import _get_settings_fields

    ours = {f"PAPERROUND_{field.upper()}" for field in Settings.model_fields}
    theirs = _get_settings_fields(Theirs)
    for name, words in (FILES | {"prefect.yaml": (ROOT / "prefect.yaml").read_text()}).items():
        assert set(re.findall(r"PAPERROUND_[A-Z_]*[A-Z]", words)) <= ours, name
        assert set(re.findall(r"(?<![A-Z_])PREFECT_[A-Z_]*[A-Z]", words)) <= set(theirs), name


def test_the_deployments_of_prefect_yaml_load_and_take_nobody_elses_name() -> None:
    from prefect.flows import Flow, load_flow_from_entrypoint

    from flows.config import catalogue
    from flows.deployments import offers

    newsletters = catalogue.newsletters(None, known_topics=catalogue.topics(None))
    served = {offer.flow.name for offer in offers(newsletters.values(), with_returns=True)}
    given = yaml.safe_load((ROOT / "prefect.yaml").read_text())
    assert given["pull"] == []  # what is installed is what runs: a worker elsewhere has no such folder
    for one in given["deployments"]:
        flow: Flow[..., Any] = load_flow_from_entrypoint(one["entrypoint"])
        assert flow.name not in served
        assert set(one["parameters"]) <= set(flow.parameters.properties)
        pool = one["work_pool"]["name"]
        for place, command in EVERY:
            if "--pool" in command:
                assert command[command.index("--pool") + 1] == pool, place


def test_with_one_line_changed_a_share_is_a_container() -> None:
    words = (ROOT / "prefect.yaml").read_text()
    given = yaml.safe_load(words.replace("# image:", "image:"))
    variables = given["deployments"][0]["work_pool"]["job_variables"]
    assert variables["image"] == COMPOSE["services"]["worker"]["image"]


def test_the_image_copies_what_is_there_and_is_nobody_special() -> None:
    ignored = (ROOT / ".dockerignore").read_text()
    for line in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE):
        for source in line.split():
            assert (ROOT / source).exists(), source
            assert f"!{source}\n" in ignored, source
    last = DOCKERFILE.rpartition("FROM ")[2]
    user = re.findall(r"^USER (\S+)$", last, re.MULTILINE)
    assert user == ["paperround"]
    assert f"useradd --system --uid {MANIFEST['spec']['template']['spec']['securityContext']['runAsUser']}" in last
    assert "\nHEALTHCHECK " in last
    assert "/healthz" in last


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_parts_of_compose_wait_for_parts_that_are_there_and_are_open_to_this_machine_alone(name: str) -> None:
    service = COMPOSE["services"][name]
    assert set(service.get("depends_on", ())) <= set(COMPOSE["services"])
    for other, wanted in service.get("depends_on", {}).items():
        ends = COMPOSE["services"][other].get("restart") in (None, "no")
        assert wanted["condition"] == ("service_completed_successfully" if ends else "service_healthy")
    for volume in service.get("volumes", ()):
        assert volume.partition(":")[0] in COMPOSE["volumes"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_no_secret_stands_in_compose_and_the_readme_makes_each() -> None:
    secret = re.compile(r"KEY|PASSWORD|LOGIN|AUTH_STRING")
    for name, service in COMPOSE["services"].items():
        for variable, value in service.get("environment", {}).items():
            if secret.search(variable):
                assert re.fullmatch(r"\$\{\w+:\?set it in \.env\}", value), (name, variable)
    made = set(re.findall(r"^(\w+)=\$?\S", PAGE, re.MULTILINE))
    assert set(re.findall(r"\$\{(\w+):\?", FILES["compose.yaml"])) <= made


def test_every_part_has_the_same_keys_and_the_server_asks_for_the_login_that_the_others_say() -> None:
    server = COMPOSE["services"]["server"]["environment"]
    assert server["PREFECT_SERVER_API_AUTH_STRING"]
    for name in OURS:
        environment = COMPOSE["services"][name]["environment"]
        if name != "server":
            assert {"PAPERROUND_SECRET_KEY", "PAPERROUND_SUPPRESSION_KEY", "PAPERROUND_DATABASE_URL"} <= set(
                environment
            )
            assert environment["PREFECT_API_AUTH_STRING"] == server["PREFECT_SERVER_API_AUTH_STRING"]
            assert COMPOSE["services"][name]["env_file"] == ".env"


def test_the_manifest_starts_workers_that_are_watched() -> None:
    template = MANIFEST["spec"]["template"]
    assert MANIFEST["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    worker = template["spec"]["containers"][0]
    volumes = {one["name"] for one in template["spec"]["volumes"]}
    assert {mount["name"] for mount in worker["volumeMounts"]} <= volumes
    assert worker["command"] == COMPOSE["services"]["worker"]["command"]
    assert f":{worker['livenessProbe']['httpGet']['port']}/health" in str(COMPOSE["services"]["worker"]["healthcheck"])
