"""Every part of every table says what it is, and nothing else does."""

from __future__ import annotations

import re

from actum.console.rendering import TEMPLATES
from actum.console.tables import ROLES, spoken


def test_each_part_of_a_table_says_what_it_is():
    assert spoken('<table class="cards"><thead><tr><th scope="col">time</th></tr></thead>') == (
        '<table role="table" class="cards"><thead role="rowgroup"><tr role="row">'
        '<th scope="col" role="columnheader">time</th></tr></thead>'
    )
    assert spoken("<tr{% if refused %} class='refused'{% endif %}><td>") == (
        '<tr role="row"{% if refused %} class=\'refused\'{% endif %}><td role="cell">'
    )


def test_what_is_no_part_of_a_table_is_left_alone():
    for text in ("<track>", "<template>", "<tablet>", "</td>", "{{ '&lt;td>' }}"):
        assert spoken(text) == text


def test_no_template_has_a_part_of_a_table_that_says_nothing():
    silent = re.compile(r"<(?:table|thead|tbody|tfoot|tr|td|th)\b(?![^>]*? role=)")
    templates = {path.name: spoken(path.read_text(encoding="utf-8")) for path in TEMPLATES.glob("*.html")}
    assert {name: found for name, text in templates.items() if (found := silent.findall(text))} == {}
    assert sum(text.count(f'role="{role}"') for text in templates.values() for role in set(ROLES.values())) > 100
