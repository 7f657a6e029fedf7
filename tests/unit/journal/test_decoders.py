"""Threads that decode a class for the first time at once all read it: msgspec alone ends the process then."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import faulthandler, sys, threading, types
from actum.journal.decoders import decoder_for

faulthandler.enable()
sys.setswitchinterval(1e-7)
CODE = '''
from __future__ import annotations
import msgspec

class Part(msgspec.Struct):
    number: int = 0
    names: dict[str, str] = {}

class Whole(msgspec.Struct):
    parts: list[Part] = []
    first: Part | None = None
    by_name: dict[str, Part] = {}
'''

def read(kind, together, found):
    together.wait()
    found.append(decoder_for(kind).decode(b'{"parts":[{"number":7}]}').parts[0].number)

for number in range(200):
    module = sys.modules["fresh"] = types.ModuleType("fresh")
    exec(CODE, module.__dict__)
    together, found = threading.Barrier(4), []
    threads = [threading.Thread(target=read, args=(module.Whole, together, found)) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    assert found == [7] * 4
"""


def test_a_class_is_read_by_several_threads_at_once_also_the_first_time():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
