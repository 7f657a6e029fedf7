"""What is written for systemd and containers is what those read, and every command in it is one that this program knows."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import click
import pytest
import yaml

from actum.cli.main import main
from actum.host.describing import described
from actum.host.files import Files, compose, docker, systemd, write
from actum.host.plan import pieces_of
from actum.host.ports import port_of
from actum.host.secured import Secured
from tests.unit.host.shop import system

ABOUT = described(system)
SECURED = Secured("shop:security", "https://shop.example", ("10.0.0.7",))


@pytest.fixture
def files() -> Files:
    return Files(
        target="shop:system",
        described=ABOUT,
        pieces=pieces_of(ABOUT, scale={"shop/projections": 2}),
        data="/var/lib/market",
        port=8000,
        host="127.0.0.1",
        security=SECURED,
        folder="/srv/mar ket",
    )


def understood(arguments: list[str]) -> click.Context:
    """The arguments as the program takes them; an error for those that it does not know."""
    return main.commands[arguments[0]].make_context(arguments[0], arguments[1:])


def test_each_piece_is_a_unit_that_systemd_understands(files: Files, tmp_path: Path):
    units = systemd(files)
    assert set(units) >= {"market.target", "market-prepare.service", "market-gateway.service", "market-console.service"}
    assert {"market-shop-projections-1.service", "market-shop-projections-2.service"} <= set(units)
    commands = []
    for name, text in units.items():
        unit = ConfigParser(strict=False, interpolation=None)
        unit.optionxform = str  # type: ignore[assignment,method-assign]
        unit.read_string(text)
        if name.endswith(".service"):
            commands.append(shlex.split(unit["Service"]["ExecStart"])[3:])
            assert unit["Service"]["UMask"] == "0077"
    parameters = [understood(command).params for command in commands]
    assert {one["port"] for one in parameters if one.get("name") == "shop/queries"} == {
        port_of("market", "shop/queries")
    }
    if shutil.which("systemd-analyze"):
        (tmp_path / "srv").mkdir()
        here = {name: text.replace("/srv/mar ket", str(tmp_path / "srv")) for name, text in units.items()}
        written = write(here, tmp_path / "units")
        done = subprocess.run(["systemd-analyze", "verify", *written], capture_output=True, text=True)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_each_piece_is_a_container_that_only_the_gateway_reaches(files: Files):
    made = yaml.safe_load(compose(files)["compose.yaml"])
    services = made["services"]
    assert services["gateway"]["ports"] == ["8000:8000"]
    others = [one for name, one in services.items() if name not in ("gateway", "prepare")]
    assert len(others) == len(files.pieces)
    assert {one["network_mode"] for one in others} == {"service:gateway"}
    for one in services.values():
        understood(one["command"])
        assert one["build"] == "."
        assert one["stop_grace_period"] == "45s"
    assert understood(services["gateway"]["command"]).params["host"] == "0.0.0.0"
    secrets = services["shop-commands"]["environment"]
    assert {"ACTUM_GATEWAY_KEY", "ACTUM_STORE", "ACTUM_TOKEN"} == set(secrets)


def test_the_image_has_nothing_that_is_no_instruction(files: Files):
    made = docker(files)
    lines = made["Dockerfile"].splitlines()
    known = ["FROM", "RUN", "WORKDIR", "COPY", "USER", "ENV", "VOLUME", "STOPSIGNAL", "ENTRYPOINT", "CMD"]
    assert all(re.match(r"[A-Z]+ ", line) and line.split()[0] in known for line in lines)
    command = next(line for line in lines if line.startswith("CMD "))
    assert understood(json.loads(command.removeprefix("CMD "))).params["security"] == SECURED
