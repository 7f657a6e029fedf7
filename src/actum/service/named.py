"""What somebody names as `module:attribute`: imported from the folder one is in, and told in one sentence where it is not there."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TypeVar

from actum.journal.errors import ActumError, Invalid
from actum.service.app import App
from actum.service.system import System, system_of

LoadedT = TypeVar("LoadedT")


def load_system(name: str) -> System:
    """The system of that name; an application alone is one of a single context."""
    try:
        return load(name, System)
    except Invalid:
        found = getattr(sys.modules.get(name.partition(":")[0]), name.partition(":")[2], None)
        if not isinstance(found, App):
            raise
        return system_of(found)


def load(name: str, kind: type[LoadedT]) -> LoadedT:
    """What stands under that name, which is of that kind. `Invalid`, saying what is missing, where there is none."""
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise Invalid(f"an application is named MODULE:ATTRIBUTE, as in bank:bank; found {name!r}")
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module(module_name)
    except ActumError:
        raise
    except Exception as wrong:
        raise Invalid(f"{module_name} cannot be imported: {type(wrong).__name__}: {wrong}") from wrong
    found = getattr(module, attribute, None)
    if not isinstance(found, kind):
        there = [key for key, value in vars(module).items() if isinstance(value, kind)]
        what = "nothing" if found is None else f"a {type(found).__name__}"
        listed = "the applications" if kind is App else f"of the kind {kind.__name__}"
        raise Invalid(
            f"expected {_a(kind.__name__)} in {name}, found {what}; {listed} in {module_name}: {', '.join(there) or 'none'}"
        )
    return found


def _a(name: str) -> str:
    return f"an {name}" if name[0] in "AEIOU" else f"a {name}"
