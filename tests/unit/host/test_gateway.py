"""The gateway sends each request to whoever does it, waits for what is about to be there, and says what is off and what that means."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from actum.host.behind import Plain
from actum.host.directory import Found
from actum.host.gateway import Bounds, Gateway
from actum.host.upstream import Upstream
from actum.http.serving import Serving

Asked = list[tuple[str, str, dict[str, str], bytes]]
CONTEXTS = frozenset({"shop"})


class Book:
    """A directory that a test writes: an address for each service, or why there is none."""

    def __init__(self) -> None:
        self.at: dict[str, str | Found] = {}
        self.upstreams: dict[str, Upstream] = {}
        self.looked = threading.Semaphore(0)

    def find(self, service: str) -> Found | None:
        self.looked.release()
        found = self.at.get(service)
        if not isinstance(found, str):
            return found
        place = urlsplit(found)
        return Found(self.upstreams.setdefault(found, Upstream(place.hostname or "", place.port or 0)))

    def pieces(self) -> tuple[Any, ...]:
        return ()

    def close(self) -> None:
        for upstream in self.upstreams.values():
            upstream.abandon("over")


class Behind:
    """A service that says what it was asked, and answers as it is told."""

    def __init__(self) -> None:
        self.asked: Asked = []
        self.answers: list[tuple[int, list[bytes]]] = []
        self.go_on = threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for said in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{said}.complete"})
            return
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message["more_body"]:
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        query = scope["query_string"].decode()
        self.asked.append((scope["method"], scope["path"] + (f"?{query}" if query else ""), headers, body))
        status, chunks = self.answers.pop(0) if self.answers else (200, [b"done"])
        length = [] if len(chunks) > 1 else [(b"content-length", b"%d" % len(chunks[0]))]
        await send({"type": "http.response.start", "status": status, "headers": [(b"x-said", b"yes"), *length]})
        for chunk in chunks[:-1]:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": chunks[-1]})


Served = tuple[Behind, Book, str, str]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    behind, book = Behind(), Book()
    gateway = Gateway(
        CONTEXTS, book, key="key", secured=False, bounds=Bounds(hold=30, answer=30), means=lambda _: "So what."
    )
    with Serving(Plain(behind)) as service, Serving(gateway) as serving:
        yield behind, book, service.url, serving.url


@pytest.fixture
def behind(served: Served) -> Behind:
    served[0].asked.clear()
    served[0].answers.clear()
    return served[0]


@pytest.fixture
def book(served: Served) -> Book:
    served[1].at = dict.fromkeys(("shop/commands", "shop/queries", "console"), served[2])
    served[1].looked = threading.Semaphore(0)
    return served[1]


@pytest.fixture
def url(served: Served, behind: Behind, book: Book) -> str:
    return served[3]


def ask(url: str, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
    place = urlsplit(url)
    line = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)
    try:
        line.request(method, path, body=body or None, headers=headers)
        response = line.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    finally:
        line.close()


def test_everything_comes_through_as_it_was_sent_and_nothing_that_is_between_neighbours(url: str, behind: Behind):
    status, headers, body = ask(url, "GET", "/shop/views/It%20em?a=1&b=%2F", authorization="Bearer t", cookie="c=1")
    assert (status, body, headers["x-said"]) == (200, b"done", "yes")
    method, path, said, _ = behind.asked[0]
    assert (method, path) == ("GET", "/shop/views/It em?a=1&b=%2F")
    assert (said["authorization"], said["cookie"], said["host"]) == ("Bearer t", "c=1", urlsplit(url).netloc)
    assert (said["actum-gateway"], said["actum-client"], said["actum-scheme"]) == ("key", "127.0.0.1", "http")


def test_nobody_shows_a_key_of_their_own(url: str, behind: Behind):
    ask(url, "GET", "/shop/views/Item", **{"actum-gateway": "mine", "actum-client": "10.9.9.9"})
    assert (behind.asked[0][2]["actum-gateway"], behind.asked[0][2]["actum-client"]) == ("key", "127.0.0.1")


def test_a_command_without_a_key_gets_one_and_one_with_a_key_keeps_it(url: str, behind: Behind):
    ask(url, "POST", "/shop/commands/Order", b"{}")
    ask(url, "POST", "/shop/commands/Order", b"{}", **{"Idempotency-Key": "mine"})
    ask(url, "POST", "/shop/login", b"{}")
    keys = [headers.get("idempotency-key") for _, _, headers, _ in behind.asked]
    assert keys[0] is not None
    assert (len(keys[0]), keys[1:]) == (36, ["mine", None])


def test_an_answer_without_an_end_is_passed_on_as_it_comes(url: str, behind: Behind):
    behind.answers = [(200, [b"a", b"b" * 100_000, b"c"])]
    assert ask(url, "GET", "/shop/feed")[2] == b"a" + b"b" * 100_000 + b"c"
    assert ask(url, "HEAD", "/shop/feed")[::2] == (200, b"")
    assert ask(url, "GET", "/shop/feed")[2] == b"done"


def test_a_head_takes_nothing_from_whoever_asks_next(url: str, behind: Behind):
    methods = ["GET", "HEAD", "POST", "HEAD", "GET"]
    answers = [ask(url, method, "/shop/commands/Order") for method in methods]
    assert [(status, body) for status, _, body in answers] == [
        (200, b"" if method == "HEAD" else b"done") for method in methods
    ]
    assert {headers["content-length"] for _, headers, _ in answers} == {"4"}
    assert [method for method, *_ in behind.asked] == methods


def test_what_is_off_is_said_with_its_name_what_it_means_and_when_to_come_again(url: str, book: Book):
    book.at["shop/commands"] = Found(None, False, "shop/commands is stopped", 7)
    status, headers, body = ask(url, "POST", "/shop/commands/Order", b"{}")
    problem = json.loads(body)
    assert (status, headers["retry-after"], headers["content-type"]) == (503, "7", "application/problem+json")
    assert (problem["type"], problem["service"]) == ("urn:actum:problem:service-off", "shop/commands")
    assert problem["detail"] == "shop/commands is stopped. So what."
    assert ask(url, "GET", "/shop/views/Item")[0] == 200


def test_what_is_about_to_be_there_is_waited_for(url: str, book: Book):
    there, book.at["shop/queries"] = book.at["shop/queries"], Found(None, True, "shop/queries is reloading")
    answers: list[int] = []
    asking = [threading.Thread(target=lambda: answers.append(ask(url, "GET", "/shop/views/Item")[0])) for _ in range(9)]
    for thread in asking:
        thread.start()
    for _ in range(50):
        book.looked.acquire()
    assert answers == []
    book.at["shop/queries"] = there
    for thread in asking:
        thread.join()
    assert answers == [200] * 9


def test_whoever_is_about_to_stop_has_done_nothing_and_is_asked_again(url: str, behind: Behind):
    behind.answers = [(503, [b'{"type":"urn:actum:problem:draining"}']), (503, [b'{"type":"other"}'])]
    assert ask(url, "POST", "/shop/commands/Order", b"{}")[::2] == (503, b'{"type":"other"}')
    assert len({headers["idempotency-key"] for _, _, headers, _ in behind.asked}) == 1


@contextmanager
def rude(what: Callable[[socket.socket, int], None]) -> Iterator[str]:
    """A server that does something rude with each connection, by its number."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            number = 0
            while True:
                try:
                    line, _ = server.accept()
                except OSError:
                    return
                with line:
                    number += 1
                    what(line, number)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


def hangs_up_twice(line: socket.socket, number: int) -> None:
    line.recv(65536)
    if number > 2:
        line.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")


def test_what_was_lost_on_the_way_is_sent_again_where_that_does_no_harm(url: str, book: Book):
    with rude(hangs_up_twice) as service:
        book.at["shop/commands"] = service
        assert ask(url, "POST", "/shop/commands/Order", b"{}")[::2] == (200, b"ok")
    with rude(hangs_up_twice) as service:
        book.at["shop/queries"] = service
        assert ask(url, "POST", "/shop/login", b"{}")[0] == 503
        assert ask(url, "GET", "/shop/views/Item")[::2] == (200, b"ok")


def test_a_command_of_which_nobody_knows_is_answered_with_the_key_to_ask_again(url: str, book: Book):
    def hangs_up(line: socket.socket, number: int) -> None:
        line.recv(65536)
        book.at["shop/commands"] = Found(None, False, "shop/commands is stopped")

    with rude(hangs_up) as service:
        book.at["shop/commands"] = service
        status, _, body = ask(url, "POST", "/shop/commands/Order", b"{}", **{"Idempotency-Key": "mine"})
    problem = json.loads(body)
    assert (status, problem["type"]) == (504, "urn:actum:problem:outcome-unknown")
    assert problem["idempotency_key"] == "mine"


def test_whoever_waits_is_told_at_once_when_what_they_wait_for_stands_still(url: str, book: Book):
    waiting = threading.Event()

    def says_nothing(line: socket.socket, number: int) -> None:
        line.recv(65536)
        waiting.set()
        line.recv(65536)

    with rude(says_nothing) as service:
        book.at["shop/queries"] = service
        answers: list[int] = []
        asking = threading.Thread(target=lambda: answers.append(ask(url, "GET", "/shop/views/Item")[0]))
        asking.start()
        assert waiting.wait(30)
        book.at["shop/queries"] = Found(None, False, "shop/queries is paused")
        upstream = book.upstreams[service]
        upstream.loop.call_soon_threadsafe(upstream.abandon, "paused")
        asking.join()
        assert answers == [503]


def test_an_address_that_is_none_is_told_with_those_there_are(url: str):
    status, _, body = ask(url, "GET", "/nowhere")
    assert (status, json.loads(body)["detail"]) == (
        404,
        "there is nothing at /nowhere; there are /shop/, /console/, /services",
    )
    assert ask(url, "GET", "/health")[0] == 200
    assert json.loads(ask(url, "GET", "/services")[2]) == {"services": []}


@pytest.mark.parametrize("target", [b"*", b"//shop/commands/Order", b"/%2F", b"http://localhost/nowhere"])
def test_an_address_of_any_other_form_is_answered_with_a_problem(url: str, target: bytes):
    place = urlsplit(url)
    with socket.create_connection((place.hostname, place.port), timeout=60) as line:
        line.sendall(b"OPTIONS %s HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n" % target)
        said = b"".join(iter(lambda: line.recv(65536), b""))
    assert said.startswith(b"HTTP/1.1 404")
    assert b"urn:actum:problem:not-found" in said


def test_a_gateway_that_knows_nobody_answers_to_its_own_names_only(url: str):
    assert ask(url, "GET", "/shop/views/Item", host="evil.example")[0] == 421


def test_what_is_too_much_or_too_slow_is_turned_down(behind: Behind):
    book = Book()
    book.at["shop/commands"] = Found(None, True, "never asked")
    with Serving(Gateway(CONTEXTS, book, key="k", secured=False, bounds=Bounds(body=10, receive=0.2))) as gateway:
        assert ask(gateway.url, "POST", "/shop/commands/Order", b"x" * 11)[0] == 413
        place = urlsplit(gateway.url)
        with socket.create_connection((place.hostname, place.port)) as line:
            line.sendall(b"POST /shop/commands/Order HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\nab")
            assert line.recv(100).startswith(b"HTTP/1.1 408")
        assert behind.asked == []


def test_what_waits_to_be_delivered_is_bounded_for_all_together(served: Served, behind: Behind, book: Book):
    there, book.at["shop/commands"] = served[2], Found(None, True, "shop/commands is starting")
    bounds = Bounds(body=100, bodies=150, hold=30)
    with Serving(Gateway(CONTEXTS, book, key="k", secured=False, bounds=bounds)) as gateway:
        place = urlsplit(gateway.url)
        with socket.create_connection((place.hostname, place.port)) as line:
            line.sendall(b"POST /shop/commands/Order HTTP/1.1\r\nhost: localhost\r\ncontent-length: 101\r\n\r\n")
            assert line.recv(100).startswith(b"HTTP/1.1 413")
        answers: list[int] = []
        order = (gateway.url, "POST", "/shop/commands/Order", b"x" * 100)
        waiting = threading.Thread(target=lambda: answers.append(ask(*order)[0]))
        waiting.start()
        for _ in range(3):
            book.looked.acquire()
        status, headers, body = ask(*order)
        assert (status, headers["retry-after"]) == (503, "1")
        assert json.loads(body)["type"] == "urn:actum:problem:busy"
        book.at["shop/commands"] = there
        waiting.join()
        assert [*answers, ask(*order)[0]] == [200, 200]
        assert [len(body) for *_, body in behind.asked] == [100, 100]


def test_a_listener_who_goes_away_is_not_listened_for_any_more(url: str, book: Book):
    gone = threading.Event()

    def sings(line: socket.socket, number: int) -> None:
        line.recv(65536)
        line.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n")
        if line.recv(10) == b"":
            gone.set()

    with rude(sings) as service:
        book.at["shop/queries"] = service
        place = urlsplit(url)
        with socket.create_connection((place.hostname, place.port)) as line:
            line.sendall(b"GET /shop/feed HTTP/1.1\r\nhost: localhost\r\n\r\n")
            said = b""
            while b"1\r\nx" not in said:
                said += line.recv(1000)
        assert gone.wait(30)
