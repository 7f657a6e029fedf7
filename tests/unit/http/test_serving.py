"""A door on a real port: it refuses to be open to others without authentication, and stops gently."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx2 as httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from actum.host.behind import Plain
from actum.http.asgi import asgi
from actum.http.serving import LONGEST_HEAD, Lines, Serving
from actum.journal.errors import Invalid, Unavailable
from actum.service.running import Running
from tests.unit.http.bank import bank
from tests.unit.http.test_commanding import slow_bank


def test_a_door_is_served_on_a_free_port_until_it_is_left(tmp_path: Path):
    with Serving(asgi(bank, tmp_path / "bank.db", actor="web")) as serving:
        answer = httpx.post(f"{serving.url}/commands/Open", json={"account": "A", "owner": "o"})
        assert (answer.status_code, answer.json()["position"]) == (200, 1)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{serving.url}/health")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_it_does_not_listen_beyond_this_machine_without_authentication(host: str):
    with pytest.raises(Invalid, match="no authentication: say security="):
        Serving(asgi(bank, "memory:"), host=host)


def test_a_port_that_is_taken_is_said_to_be_so():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Unavailable, match=r"cannot listen on 127\.0\.0\.1 port"):
            Serving(asgi(bank, "memory:"), port=taken.getsockname()[1])


def test_an_application_that_cannot_start_is_said_to_be_so(tmp_path: Path):
    (tmp_path / "bank.db").write_bytes(b"something else" * 100)
    with pytest.raises(Unavailable, match="could not start"), Serving(asgi(bank, tmp_path / "bank.db")):
        pass


def test_a_command_under_way_is_finished_before_the_server_ends():
    entered, leave = threading.Event(), threading.Event()

    async def ask(url: str) -> httpx.Response:
        async with httpx.AsyncClient() as client:
            return await client.post(f"{url}/commands/Wait", json={"account": "A"}, timeout=30)

    answers: list[httpx.Response] = []
    with Serving(asgi(slow_bank(entered, leave), "memory:", actor="web")) as serving:
        caller = threading.Thread(target=lambda: answers.append(asyncio.run(ask(serving.url))))
        caller.start()
        assert entered.wait(30)
        serving.stop()
        threading.Timer(0.3, leave.set).start()
    caller.join()
    assert [answer.status_code for answer in answers] == [200]


def test_a_head_without_end_is_cut_off():
    with Serving(asgi(bank, "memory:")) as serving:
        port = int(serving.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.settimeout(30)
            line.sendall(b"GET / HTTP/1.1\r\nx: ")
            try:
                for _ in range(10):
                    line.sendall(b"x" * (LONGEST_HEAD // 4))
                answer = line.recv(100)
            except ConnectionError:
                answer = b"HTTP/1.1 400"
        assert answer.startswith(b"HTTP/1.1 400")


def test_what_follows_a_body_in_chunks_is_no_header_and_has_an_end():
    """Trailers: a few are passed over, many end the connection, so that nobody fills the memory with them."""
    seen: list[list[bytes]] = []

    async def hear(request: Request) -> Response:
        await request.body()
        seen.append([name for name, _ in request.scope["headers"]])
        return Response("heard")

    door = Plain(Starlette(routes=[Route("/", hear, methods=["POST"])]))
    with Serving(door) as serving, line_to(serving) as line:
        head = b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
        line.sendall(head + b"1\r\nx\r\n0\r\nauthorization: late\r\n\r\n")
        assert line.recv(1000).startswith(b"HTTP/1.1 200")
        assert seen == [[b"host", b"transfer-encoding"]]
        line.sendall(head + b"1\r\nx\r\n0\r\n")
        with suppress(ConnectionError):
            while True:
                line.sendall(b"x-trailer: " + b"x" * 1000 + b"\r\n")
        assert not seen[1:]


def test_a_connection_that_does_not_ask_in_time_is_closed():
    """Never, half a head, or half of the next one: nobody holds a place for nothing."""
    asked = b"GET /health HTTP/1.1\r\nhost: localhost\r\n"
    with Serving(asgi(bank, "memory:"), lines=Lines(head=0.5)) as serving, ExitStack() as stack:
        lines = [stack.enter_context(line_to(serving)) for _ in range(3)]
        for line, said in zip(lines, (b"", asked, asked + b"\r\nGET"), strict=True):
            line.sendall(said)
        assert [line.makefile("rb").read().rpartition(b"HTTP/1.1 ")[2][:3] for line in lines] == [b"408"] * 3


def test_there_are_no_more_connections_than_so_many():
    with Serving(asgi(bank, "memory:"), lines=Lines(most=2)) as serving, ExitStack() as stack:
        *_, third = [stack.enter_context(line_to(serving)) for _ in range(3)]
        assert third.recv(100).startswith(b"HTTP/1.1 503")


def line_to(serving: Serving) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", int(serving.url.rpartition(":")[2])))
    line.settimeout(30)
    return line


def test_the_second_half_of_an_answer_does_not_wait_for_the_receipt_of_the_first(running: Running):
    with Serving(asgi(bank, running)) as serving:
        assert serving._socket.proto == socket.IPPROTO_TCP
        assert serving._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_it_serves_in_an_event_loop_that_is_somebody_else_s(running: Running):
    async def story() -> None:
        async with Serving(asgi(bank, running)).here() as serving:
            reader, writer = await asyncio.open_connection(*serving.url.removeprefix("http://").split(":"))
            writer.write(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
            writer.close()
            await writer.wait_closed()

    asyncio.run(story())
