"""The picture of a building: a function from its state, so that every past state has one, too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from demos.building.building import Building

WIDTH, HEIGHT = 460, 420
GROUND, STOREY, LEFT, WALL = 350, 52, 120, 220
PAINT = {"ochre": "#e3b765", "rose": "#dfa3a0", "sage": "#a9bf9c", "sky": "#a6c4d8"}
BRICK = "#b9694c"


def picture(building: Building) -> str:
    """An SVG of it, with a title for whoever cannot see it."""
    shapes = "".join(_shapes(building))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{_said(building)}">'
        f"<title>{_said(building)}</title>{shapes}</svg>"
    )


def _said(building: Building) -> str:
    there = [
        what
        for what, so in (
            ("foundation", building.foundation),
            (f"walls of {building.walls} storeys", building.walls),
            (f"windows of {len(building.windows)}", building.windows),
            ("door", building.door),
            ("roof", building.roof),
            ("paint", building.colour),
        )
        if so
    ]
    return f"{', '.join(there) or 'an empty site'}"


def _shapes(building: Building) -> Iterator[str]:
    yield f'<rect width="{WIDTH}" height="{GROUND}" fill="#dcebf2"/><circle cx="392" cy="62" r="26" fill="#f6d36b"/>'
    yield f'<rect y="{GROUND}" width="{WIDTH}" height="{HEIGHT - GROUND}" fill="#8fae7a"/>'
    if building.foundation:
        yield _box(LEFT - 10, GROUND - 6, WALL + 20, 26, "#9a9a96")
    elif building.name:
        yield _box(LEFT - 10, GROUND, WALL + 20, 18, "#7b6247")
    for storey in range(1, building.walls + 1):
        yield from _storey(building, storey)
    if building.door:
        yield _box(LEFT + WALL // 2 - 15, _top(1) + 10, 30, STOREY - 10, "#5b3b26")
        yield f'<circle cx="{LEFT + WALL // 2 + 9}" cy="{_top(1) + 34}" r="2.500" fill="#e9d9a0"/>'
    if building.roof:
        top = _top(building.walls)
        yield f'<path d="M{LEFT - 16} {top}H{LEFT + WALL + 16}L{LEFT + WALL - 40} {top - 62}H{LEFT + 40}Z" fill="#6d3b34"/>'
        yield _box(LEFT + WALL - 74, top - 84, 18, 34, "#84503f")
    elif building.name and not building.handed_over:
        yield from _crane()
    if building.handed_over:
        yield from _garland(_top(building.walls))


def _storey(building: Building, storey: int) -> Iterator[str]:
    top = _top(storey)
    yield _box(LEFT, top, WALL, STOREY, PAINT.get(building.colour, BRICK))
    if not building.colour:
        for row in range(0, STOREY, 13):
            yield f'<path d="M{LEFT} {top + row}h{WALL}" stroke="#9f5640" stroke-width="1"/>'
    if storey in building.windows:
        for place in (20, 68, 124, 172):
            if storey == 1 and place in (68, 124):
                continue
            yield _box(LEFT + place, top + 11, 28, 28, "#f4f8fa", "#4a4a48")
            yield f'<path d="M{LEFT + place + 14} {top + 11}v28M{LEFT + place} {top + 25}h28" stroke="#4a4a48" stroke-width="1.500"/>'


def _top(storey: int) -> int:
    return GROUND - 6 - storey * STOREY


def _box(x: int, y: int, width: int, height: int, fill: str, stroke: str = "none") -> str:
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{fill}" stroke="{stroke}" stroke-width="1.500"/>'


def _crane() -> Iterator[str]:
    yield f'<path d="M64 {GROUND}V60M56 {GROUND}h16M64 74H330M64 60L110 74M64 60L30 84M30 74H64M250 74v46" stroke="#c98a1b" stroke-width="5" fill="none"/>'
    yield '<rect x="24" y="78" width="20" height="22" fill="#7a7a78"/><path d="M243 120h14l-4 12h-6z" fill="#4a4a48"/>'


def _garland(top: int) -> Iterator[str]:
    yield f'<path d="M{LEFT} {top + 6}q{WALL // 2} 34 {WALL} 0" fill="none" stroke="#2f6b3c" stroke-width="5"/>'
    for place, colour in ((40, "#c0392b"), (84, "#f1c40f"), (128, "#2980b9"), (172, "#c0392b")):
        yield f'<circle cx="{LEFT + place}" cy="{top + 19}" r="6" fill="{colour}"/>'
