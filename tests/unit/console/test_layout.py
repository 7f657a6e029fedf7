"""The map in both its shapes: every way leads from one box to another, and everything is within the drawing."""

from __future__ import annotations

import re
from itertools import combinations

import pytest
from starlette.testclient import TestClient

from actum.console.layout import HEIGHT, WIDTH, Box, between


def box(x: int, y: int) -> Box:
    return Box(x=x, y=y, name="", label="", under="", kind="", state="", colour=0)


@pytest.mark.parametrize(
    ("end", "path"),
    [
        (box(200, 0), f"M {WIDTH + 6} 23 H 194"),
        (box(-200, 0), f"M -6 23 H {WIDTH - 200 + 6}"),
        (box(0, 80), f"M 66 {HEIGHT + 6} V 74"),
    ],
)
def test_a_way_leads_from_a_box_to_the_one_beside_or_below_it(end: Box, path: str):
    assert between(box(0, 0), end)[0] == path


def test_no_box_of_the_map_covers_another_or_leaves_the_drawing(client: TestClient):
    drawings = re.findall(
        r'<svg class="(\w+)" viewBox="0 0 (\d+) (\d+)"(.*?)</svg>', client.get("/map").text, re.DOTALL
    )
    assert [name for name, *_ in drawings] == ["beside", "folded"]
    for name, width, height, inside in drawings:
        boxes = [(int(x), int(y)) for x, y in re.findall(r'<rect x="(\d+)" y="(\d+)"', inside)]
        assert len(boxes) == 11, name
        for (x, y), (other_x, other_y) in combinations(boxes, 2):
            assert abs(x - other_x) >= WIDTH or abs(y - other_y) >= HEIGHT, name
        assert all(x + WIDTH <= int(width) and y + HEIGHT <= int(height) for x, y in boxes), name
