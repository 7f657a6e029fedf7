"""The server that `benchmarks.http` measures, in a process of its own: the bank's door, and beside it a bare Starlette route."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from actum import App, Command, Event, Query, Refused, Table, Tag, View
from actum.http.asgi import asgi

if TYPE_CHECKING:
    from starlette.requests import Request

AccountId = Annotated[str, Tag("account")]


class Deposited(Event):
    account: AccountId
    amount: int


class Deposit(Command):
    account: AccountId
    amount: int


class Balance(View):
    account: AccountId
    balance: int = 0

    def evolve(self, event: Deposited) -> None:
        self.balance += event.amount


class BalanceOf(Query[int]):
    account: AccountId


bank = App("bank")
bank.view(Balance)


@bank.decides
def deposit(command: Deposit, account: Balance) -> Deposited:
    if account.balance + command.amount < 0:
        raise Refused("insufficient funds")
    return Deposited(account=command.account, amount=command.amount)


@bank.answers
def balance_of(query: BalanceOf, balances: Table[Balance]) -> int:
    row = balances.get(query.account)
    return 0 if row is None else row.balance


async def bare(request: Request) -> JSONResponse:
    """What any route does at least: read JSON where there is some, answer JSON."""
    said: dict[str, Any] = await request.json() if request.method == "POST" else dict(request.query_params)
    return JSONResponse({"account": said["account"], "position": 1})


def main(journal: str) -> None:
    """Serve on a free port, which is printed."""
    with bank.open(journal, actor="bench") as running:
        app = Starlette(routes=[Route("/bare", bare, methods=["GET", "POST"]), Mount("/", asgi(bank, running))])
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="off"))
        bound = server.config.bind_socket()
        bound.listen()
        print(bound.getsockname()[1], flush=True)
        server.run(sockets=[bound])


if __name__ == "__main__":
    main(sys.argv[1])
