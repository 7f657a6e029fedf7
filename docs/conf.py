"""How the documentation site is made; `make docs` builds it and takes every warning for an error."""

from __future__ import annotations

import importlib
import re
from importlib.metadata import version as version_of
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from docutils.nodes import Element
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

project = "actum"
author = "The actum authors"
copyright = "The actum authors, Apache License 2.0"
version = release = version_of("actum")

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = [".build"]
html_theme = "furo"
html_title = f"actum {version}"
html_copy_source = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_class_signature = "mixed"
python_use_unqualified_type_names = True
# A page of four hundred names beside itself helps nobody; `reference/index.md` lists what a face shows.
toc_object_entries = False
default_role = "code"
add_module_names = False

# A link to something of ours must resolve. What belongs to Python or to a library is named without a link, because the
# site is built without a network; so is what a module keeps to itself.
nitpick_ignore_regex = [
    (r"py:.*", r"(?!actum\b).*"),
    (r"py:.*", r"actum\..*\._.*"),
]

# Sphinx takes the `type` of `type[Event]` for any of our attributes of that name, and finds several.
suppress_warnings = ["ref.python"]

FENCE = re.compile(r"^```\w*$")


def fences_to_literal_blocks(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Docstrings are Markdown to their readers; autodoc reads reStructuredText. Fenced code is the only difference."""
    within = False
    kept: list[str] = []
    for line in lines:
        if FENCE.match(line):
            within = not within
            kept += ["", "::", ""] if within else [""]
        else:
            kept.append(f"    {line}" if within else line)
    lines[:] = kept


def name_type_variables(app: Sphinx, env: BuildEnvironment, node: pending_xref, content: Element) -> Element | None:
    """A type variable has no page to link to."""
    module, _, name = node["reftarget"].rpartition(".")
    if module.startswith("actum.") and isinstance(getattr(_module(module), name, None), TypeVar):
        return content
    return None


def _module(name: str) -> object:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return None


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", fences_to_literal_blocks)
    app.connect("missing-reference", name_type_variables)


html_static_path = ["_static"]
html_css_files = ["tables.css"]
