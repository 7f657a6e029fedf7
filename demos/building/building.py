"""The building of the talk: a foundation is poured, walls are built, windows fitted, a roof raised; never in the wrong order."""

from decimal import Decimal
from typing import Annotated

from actum import App, Command, Event, Exists, Refused, State, Tag, View

BuildingId = Annotated[str, Tag("building")]

works = App("works", version="1")

MOST_STOREYS = 6


class SiteOpened(Event):
    building: BuildingId
    name: str
    storeys: int


class FoundationPoured(Event):
    building: BuildingId
    concrete: Decimal


class WallsBuilt(Event):
    building: BuildingId
    storey: int
    bricks: int


class WindowsFitted(Event):
    building: BuildingId
    storey: int
    windows: int


class RoofRaised(Event):
    building: BuildingId


class DoorHung(Event):
    building: BuildingId


class Painted(Event):
    building: BuildingId
    colour: str


class HandedOver(Event):
    building: BuildingId
    keys: int


COLOURS = ("ochre", "rose", "sage", "sky")


class Building(State):
    id: BuildingId
    name: str = ""
    storeys: int = 0
    foundation: bool = False
    walls: int = 0
    windows: tuple[int, ...] = ()
    roof: bool = False
    door: bool = False
    colour: str = ""
    handed_over: bool = False

    def evolve(
        self,
        event: SiteOpened
        | FoundationPoured
        | WallsBuilt
        | WindowsFitted
        | RoofRaised
        | DoorHung
        | Painted
        | HandedOver,
    ) -> None:
        match event:
            case SiteOpened(name=name, storeys=storeys):
                self.name, self.storeys = name, storeys
            case FoundationPoured():
                self.foundation = True
            case WallsBuilt(storey=storey):
                self.walls = storey
            case WindowsFitted(storey=storey):
                self.windows = (*self.windows, storey)
            case RoofRaised():
                self.roof = True
            case DoorHung():
                self.door = True
            case Painted(colour=colour):
                self.colour = colour
            case HandedOver():
                self.handed_over = True


class OpenSite(Command):
    building: BuildingId
    name: str
    storeys: int


class PourFoundation(Command):
    building: BuildingId
    concrete: Decimal


class BuildWalls(Command):
    building: BuildingId
    storey: int
    bricks: int


class FitWindows(Command):
    building: BuildingId
    storey: int
    windows: int


class RaiseRoof(Command):
    building: BuildingId


class HangDoor(Command):
    building: BuildingId


class Paint(Command):
    building: BuildingId
    colour: str


class HandOver(Command):
    building: BuildingId
    keys: int


def demand(so: bool, why: str, **facts: object) -> None:  # noqa: FBT001 - that is what it is about
    if not so:
        raise Refused(why, **facts)


def at_work(building: Building) -> None:
    demand(bool(building.name), "there is no such site", building=building.id)
    demand(not building.handed_over, "the building was handed over")


@works.decides(unless=Exists(SiteOpened, by="building", because="the site is open already"))
def open_site(command: OpenSite) -> SiteOpened:
    demand(bool(command.name), "a building has a name")
    demand(1 <= command.storeys <= MOST_STOREYS, "the zoning plan allows 1 to 6 storeys", wanted=command.storeys)
    return SiteOpened(building=command.building, name=command.name, storeys=command.storeys)


@works.decides
def pour_foundation(command: PourFoundation, building: Building) -> FoundationPoured:
    at_work(building)
    demand(not building.foundation, "the foundation is poured already")
    demand(
        command.concrete >= 5 * building.storeys, "too little concrete for so many storeys", storeys=building.storeys
    )
    return FoundationPoured(building=building.id, concrete=command.concrete)


@works.decides
def build_walls(command: BuildWalls, building: Building) -> WallsBuilt:
    at_work(building)
    demand(building.foundation, "walls need a foundation")
    demand(not building.roof, "the roof is on: no more storeys")
    demand(command.storey == building.walls + 1, "storeys are built from below", next=building.walls + 1)
    demand(command.storey <= building.storeys, "no such storey in the plan", storeys=building.storeys)
    return WallsBuilt(building=building.id, storey=command.storey, bricks=command.bricks)


@works.decides
def fit_windows(command: FitWindows, building: Building) -> WindowsFitted:
    at_work(building)
    demand(command.storey <= building.walls, "windows need walls", walls=building.walls)
    demand(command.storey not in building.windows, "the windows of this storey are in", storey=command.storey)
    return WindowsFitted(building=building.id, storey=command.storey, windows=command.windows)


@works.decides
def raise_roof(command: RaiseRoof, building: Building) -> RoofRaised:
    at_work(building)
    demand(not building.roof, "the roof is on already")
    demand(0 < building.walls == building.storeys, "a roof needs all walls", walls=building.walls, of=building.storeys)
    return RoofRaised(building=command.building)


@works.decides
def hang_door(command: HangDoor, building: Building) -> DoorHung:
    at_work(building)
    demand(building.walls >= 1, "a door needs walls")
    demand(not building.door, "the door hangs already")
    return DoorHung(building=command.building)


@works.decides
def paint(command: Paint, building: Building) -> Painted:
    at_work(building)
    demand(building.roof, "paint needs a roof above it: it might rain")
    demand(command.colour in COLOURS, "not in the colours of this street", colours=", ".join(COLOURS))
    return Painted(building=building.id, colour=command.colour)


@works.decides
def hand_over(command: HandOver, building: Building) -> HandedOver:
    at_work(building)
    missing = [
        what
        for what, there in (
            ("roof", building.roof),
            ("door", building.door),
            ("paint", building.colour),
            ("windows", len(building.windows) == building.storeys),
        )
        if not there
    ]
    demand(not missing, "not finished", missing=", ".join(missing))
    return HandedOver(building=building.id, keys=command.keys)


@works.view
class Progress(View, table="buildings"):
    building: BuildingId
    name: str = ""
    works: int = 0
    bricks: int = 0
    handed_over: bool = False

    def evolve(
        self,
        event: SiteOpened
        | FoundationPoured
        | WallsBuilt
        | WindowsFitted
        | RoofRaised
        | DoorHung
        | Painted
        | HandedOver,
    ) -> None:
        self.works += 1
        match event:
            case SiteOpened(name=name):
                self.name = name
            case WallsBuilt(bricks=bricks):
                self.bricks += bricks
            case HandedOver():
                self.handed_over = True
            case _:
                pass


HOUSE = "rue-du-lac-7"


def the_works() -> tuple[Command, ...]:
    """How the house in the rue du Lac came to be, with what was tried too early and refused."""
    return (
        OpenSite(building=HOUSE, name="7, rue du Lac", storeys=3),
        BuildWalls(building=HOUSE, storey=1, bricks=2400),
        PourFoundation(building=HOUSE, concrete=Decimal("18.5")),
        BuildWalls(building=HOUSE, storey=1, bricks=2400),
        RaiseRoof(building=HOUSE),
        FitWindows(building=HOUSE, storey=1, windows=3),
        HangDoor(building=HOUSE),
        BuildWalls(building=HOUSE, storey=2, bricks=2250),
        BuildWalls(building=HOUSE, storey=3, bricks=2250),
        Paint(building=HOUSE, colour="ochre"),
        FitWindows(building=HOUSE, storey=2, windows=4),
        RaiseRoof(building=HOUSE),
        HandOver(building=HOUSE, keys=6),
        FitWindows(building=HOUSE, storey=3, windows=4),
        Paint(building=HOUSE, colour="ochre"),
        HandOver(building=HOUSE, keys=6),
    )
