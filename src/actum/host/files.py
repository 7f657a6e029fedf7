"""The files by which others run a system's pieces: systemd units, a Dockerfile, a compose file.

Each piece is a unit or a container of its own, which a supervisor of the platform's own restarts, with the gateway in front.
Secrets stand in none of them: they come from the environment.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from actum.host.ports import ports_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actum.host.plan import Described, Wanted
    from actum.host.secured import Secured

KINDS = ("systemd", "docker", "compose")
"""What can be made."""

STOP = 45
"""Seconds that a piece has for what is under way, when it is to end: a little more than it takes at the longest."""

SILENCE = 60
"""Seconds that a piece may be silent, before it is taken to hang and is started again."""


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """What is to run, and how the files are to call it. `target` is `module:attribute`, `folder` where the code lies."""

    target: str
    described: Described
    pieces: tuple[Wanted, ...]
    data: str
    port: int
    host: str
    security: Secured | None
    folder: str
    python: str = sys.executable

    @property
    def name(self) -> str:
        """The system, as units and containers call it."""
        return self.described.name.lower()

    @property
    def ports(self) -> Mapping[str, int]:
        """The port of each piece: the same that `actum up` draws where nothing is taken."""
        return ports_for(self.described.name, [piece.name for piece in self.pieces], free=lambda _: True)

    def arguments(self, verb: str, *more: str) -> list[str]:
        """The arguments of `actum` for a verb."""
        security = [] if self.security is None else self.security.arguments
        return [verb, self.target, *more, "--data", self.data, *security]

    def piece(self, piece: Wanted) -> list[str]:
        """The arguments of one piece."""
        port = str(self.ports[piece.name])
        return [*self.arguments("piece", piece.name), "--port", port, "--gateway", f"http://127.0.0.1:{self.port}"]

    def gateway(self, host: str) -> list[str]:
        """The arguments of the gateway."""
        at = [
            word
            for piece in self.pieces
            for word in ("--at", f"{piece.service}=http://127.0.0.1:{self.ports[piece.name]}")
        ]
        return [*self.arguments("gateway"), "--host", host, "--port", str(self.port), *at]


def plain(piece: Wanted) -> str:
    """The name of a piece where there can be no slash."""
    return piece.name.replace("/", "-").replace(".", "-")


# systemd.


def systemd(files: Files) -> dict[str, str]:
    """A unit for each piece, one for the gateway, one that has the journals there first, and a target for all of it."""
    units = {f"{files.name}.target": _target(files), f"{files.name}-prepare.service": _prepare(files)}
    for piece in files.pieces:
        units[f"{files.name}-{plain(piece)}.service"] = _unit(files, piece.name, files.piece(piece))
    units[f"{files.name}-gateway.service"] = _unit(files, "gateway", files.gateway(files.host))
    return units


def _target(files: Files) -> str:
    names = [f"{files.name}-{plain(piece)}.service" for piece in files.pieces]
    return f"""\
[Unit]
Description=The system {files.described.name}
Wants={" ".join([*names, f"{files.name}-gateway.service"])}

[Install]
WantedBy=multi-user.target
"""


def _prepare(files: Files) -> str:
    return f"""\
[Unit]
Description={files.described.name}: journals
Before={files.name}.target

[Service]
Type=oneshot
RemainAfterExit=yes
{_run(files, files.arguments("describe"))}
{_HARDENED}"""


def _unit(files: Files, name: str, arguments: list[str]) -> str:
    return f"""\
[Unit]
Description={files.described.name}: {name}
PartOf={files.name}.target
Requires={files.name}-prepare.service
After=network.target {files.name}-prepare.service
StartLimitIntervalSec=120
StartLimitBurst=6

[Service]
Type=notify
{_run(files, arguments)}
Restart=always
RestartSec=1
TimeoutStopSec={STOP}
WatchdogSec={SILENCE}
{_HARDENED}
[Install]
WantedBy={files.name}.target
"""


def _run(files: Files, arguments: list[str]) -> str:
    command = shlex.join([files.python, "-m", "actum.cli", *arguments]).replace("%", "%%")
    return f"""\
User={files.name}
WorkingDirectory={files.folder}
StateDirectory={files.name}
Environment="PYTHONPATH={files.folder}" PYTHONUNBUFFERED=1
EnvironmentFile=-/etc/{files.name}.env
ExecStart={command}"""


_HARDENED = """\
NoNewPrivileges=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectHome=read-only
ProtectSystem=strict
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictSUIDSGID=yes
LockPersonality=yes
UMask=0077
"""


# Containers.


def docker(files: Files) -> dict[str, str]:
    """A Dockerfile with the code and everything it needs; which piece it runs is said when it is run."""
    return {
        "Dockerfile": f"""\
FROM python:3.13-slim
RUN useradd --create-home --uid 10001 {files.name} && install -d -o {files.name} {files.data}
WORKDIR /srv/{files.name}
COPY requirements.txt ./
RUN pip install --no-cache-dir -r requirements.txt
COPY --chown={files.name} . .
USER {files.name}
ENV PYTHONPATH=/srv/{files.name} PYTHONUNBUFFERED=1
VOLUME {files.data}
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "actum.cli"]
CMD {_json(files.arguments("up", "--host", files.host, "--port", str(files.port)))}
""",
        "requirements.txt": "actum[cli,console,http,postgres]\n",
        ".dockerignore": ".git\n.venv\n**/__pycache__\n*.data\n",
    }


def compose(files: Files) -> dict[str, str]:
    """A compose file: each piece a container, all in the gateway's network, so that nothing but the gateway can be reached."""
    first = _service(files, "gateway", files.gateway("0.0.0.0"), files.port, ports=True)  # noqa: S104 - it knows who asks
    others = [_service(files, plain(piece), files.piece(piece), files.ports[piece.name]) for piece in files.pieces]
    return docker(files) | {
        "compose.yaml": "\n".join(
            [
                f"name: {files.name}",
                "x-piece: &piece",
                "  build: .",
                f"  image: {files.name}",
                "  restart: unless-stopped",
                f"  stop_grace_period: {STOP}s",
                "  environment:",
                "    ACTUM_GATEWAY_KEY: ${ACTUM_GATEWAY_KEY:?say a long random text}",
                "    ACTUM_STORE: ${ACTUM_STORE:-}",
                "    ACTUM_TOKEN: ${ACTUM_TOKEN:-}",
                f'  volumes: ["data:{files.data}"]',
                "services:",
                "  prepare:",
                "    <<: *piece",
                '    restart: "no"',
                f"    command: {_json(files.arguments('describe'))}",
                first,
                *others,
                "volumes:",
                "  data: {}",
                "",
            ]
        )
    }


def _service(files: Files, name: str, arguments: list[str], port: int, *, ports: bool = False) -> str:
    probe = f"import urllib.request as u; u.urlopen('http://127.0.0.1:{port}/health', timeout=3)"
    lines = [
        f"  {name}:",
        "    <<: *piece",
        f"    command: {_json(arguments)}",
        "    depends_on:",
        "      prepare: {condition: service_completed_successfully}",
        *([] if ports else ["      gateway: {condition: service_started}"]),
        f'    ports: ["{files.port}:{files.port}"]' if ports else '    network_mode: "service:gateway"',
        f'    healthcheck: {{test: ["CMD", "python", "-c", "{probe}"], interval: 10s, timeout: 5s, start_period: 20s}}',
    ]
    return "\n".join(lines)


def _json(words: list[str]) -> str:
    return msgspec.json.encode(words).decode()


MAKERS = {"systemd": systemd, "docker": docker, "compose": compose}


def write(found: Mapping[str, str], folder: Path) -> list[Path]:
    """Write the files into a folder, made where there is none; where each stands."""
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for name, text in found.items():
        (folder / name).write_text(text, encoding="utf-8")
        written.append(folder / name)
    return written
