"""Several processes on one file: who gets how many turns, and how soon another process hears of an event."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.bank import NOTE, Deposit, account, bank, teller
from benchmarks.ground import Ground, fill, fill_raw
from benchmarks.measure import percentile
from benchmarks.raw import RawBank
from benchmarks.table import Line, Section, at_most, fact, rate

WRITERS = (1, 2, 4)
ACCOUNTS = 400


def measure(ground: Ground) -> Section:
    """The section."""
    lines = [line for writers in WRITERS for line in _writing(ground, writers)]
    lines += _waking(ground)
    notes = [
        "each process: one caller, a deposit after the other; fairness is the fewest turns of a process over the most",
        "waking: from the acknowledgement of an event here until another process has it in hand (running.follow)",
    ]
    return Section("Several processes", lines, notes)


# Writers.


def _writing(ground: Ground, writers: int) -> list[Line]:
    rounds = [_turns(ground, writers, program) for _ in range(ground.rounds) for program in ("actum", "raw")]
    mine, by_hand = rounds[::2], rounds[1::2]
    ratio = statistics.median(_rate(a) / _rate(b) for a, b in zip(mine, by_hand, strict=True))
    words = f"{writers} process{'es' if writers > 1 else ''}"
    lines = [fact(words, rate(_usual(mine)), f"raw {rate(_usual(by_hand))}", ratio)]
    if writers > 1:
        lines += [
            fact("  fairness", f"{_fairness(mine):.2f}", f"raw {_fairness(by_hand):.2f}"),
            fact("  worst wait", f"{_worst(mine):,.0f} ms", f"raw {_worst(by_hand):,.0f} ms"),
        ]
    return lines


def _turns(ground: Ground, writers: int, program: str) -> list[dict[str, Any]]:
    """What each process reports of one round."""
    path = ground.new(f"processes-{program}")
    (fill if program == "actum" else fill_raw)(path, ACCOUNTS)
    seconds = str(ground.size(3, 1) if not ground.quick else 0.2)
    started = [_start("write", program, str(path), str(number), seconds) for number in range(writers)]
    for one in started:
        one.stdout.readline()
    for one in started:
        one.stdin.write("go\n")
        one.stdin.flush()
    return [json.loads(one.communicate()[0]) for one in started]


def _start(*arguments: str) -> subprocess.Popen[str]:
    asked = [sys.executable, "-m", "benchmarks.processes", *arguments]
    return subprocess.Popen(asked, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _rate(reports: list[dict[str, Any]]) -> float:
    return sum(one["done"] / one["seconds"] for one in reports)


def _usual(rounds: list[list[dict[str, Any]]]) -> float:
    return statistics.median(map(_rate, rounds))


def _fairness(rounds: list[list[dict[str, Any]]]) -> float:
    return statistics.median(min(one["done"] for one in r) / max(one["done"] for one in r) for r in rounds)


def _worst(rounds: list[list[dict[str, Any]]]) -> float:
    return 1e3 * max(one["worst"] for r in rounds for one in r)


def write(program: str, path: str, number: int, seconds: float) -> dict[str, Any]:
    """One writer: as many deposits as it can in that time, each on an account of its own share."""
    name = Path(path)
    opened = bank.open(name, actor="bench") if program == "actum" else RawBank(name)
    print("ready", flush=True)
    sys.stdin.readline()
    done, worst = 0, 0.0
    begin = last = time.perf_counter()
    while last - begin < seconds:
        which = number * 100 + done % 100
        if isinstance(opened, RawBank):
            opened.connection.set_busy_timeout(60_000)
            opened.deposit(account(which), teller(which), 1000, NOTE)
        else:
            opened.execute(Deposit(account=account(which), teller=teller(which), amount=1000, note=NOTE))
        now = time.perf_counter()
        worst, last, done = max(worst, now - last), now, done + 1
    opened.close()
    return {"done": done, "seconds": last - begin, "worst": worst}


# Waking.


def _waking(ground: Ground) -> list[Line]:
    events = ground.size(500, 10)
    path = ground.new("waking")
    fill(path, 10)
    with bank.open(path, actor="bench") as running:
        first = running.head() + 1
        hearer = _start("hear", str(path), str(first), str(events))
        hearer.stdout.readline()
        pause = threading.Event()
        acknowledged: list[int] = []
        for number in range(events):
            pause.wait(0.002 + number % 7 / 1000)
            which = number % 10
            running.execute(Deposit(account=account(which), teller=teller(which), amount=1, note=NOTE))
            acknowledged.append(time.monotonic_ns())
        heard = json.loads(hearer.communicate()[0])["heard"]
    late = [max(0, there - here) / 1e6 for here, there in zip(acknowledged, heard, strict=True)]
    return [
        at_most("another process has the event: p50", statistics.median(late), 1, unit="ms"),
        fact("  p99", f"{percentile(late, 0.99):.2f} ms"),
    ]


def hear(path: str, first: int, events: int) -> dict[str, Any]:
    """Follow the journal, and say when each event came into hand."""
    heard: list[int] = []
    with bank.open(path, actor="bench") as running:
        print("ready", flush=True)
        for recorded in running.follow(after=first - 1):
            assert recorded.event
            heard.append(time.monotonic_ns())
            if len(heard) == events:
                break
    return {"heard": heard}


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["write", program, path, number, seconds]:
            print(json.dumps(write(program, path, int(number), float(seconds))))
        case ["hear", path, first, events]:
            print(json.dumps(hear(path, int(first), int(events))))
