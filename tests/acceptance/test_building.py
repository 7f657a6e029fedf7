"""The building of the demonstration: works in their order, a picture for every moment, and real permits that are found again."""

from __future__ import annotations

import os
import re
from decimal import Decimal
from pathlib import Path

from starlette.testclient import TestClient

from actum.service.searching import Searching
from actum.testing import check_purity, given
from demos.building.building import (
    HOUSE,
    Building,
    BuildWalls,
    FitWindows,
    FoundationPoured,
    HandOver,
    Paint,
    RaiseRoof,
    RoofRaised,
    SiteOpened,
    WallsBuilt,
    WindowsFitted,
    the_works,
    works,
)
from demos.building.page import Pages
from demos.building.permits import Longest, imported, lines, permits
from demos.building.picture import picture
from demos.building.replay import build, frames
from tests.house import ROOT

DATA = Path(os.environ.get("LEDGER_DATA", ROOT.parent / "shared" / "data"))

SITE = SiteOpened(building="H", name="Cottage", storeys=1)
POURED = FoundationPoured(building="H", concrete=Decimal(6))
WALLS = WallsBuilt(building="H", storey=1, bricks=1000)


def test_nothing_is_built_in_the_wrong_order():
    given(works, SITE).when(BuildWalls(building="H", storey=1, bricks=1000)).then_refused("walls need a foundation")
    given(works, SITE, POURED).when(FitWindows(building="H", storey=1, windows=2)).then_refused(
        "windows need walls", walls=0
    )
    given(works, SITE, POURED).when(RaiseRoof(building="H")).then_refused("a roof needs all walls", walls=0, of=1)
    given(works, SITE, POURED, WALLS).when(Paint(building="H", colour="sky")).then_refused(
        "paint needs a roof above it: it might rain"
    )
    given(works, SITE, POURED, WALLS, RoofRaised(building="H")).when(HandOver(building="H", keys=2)).then_refused(
        "not finished", missing="door, paint, windows"
    )


def test_what_is_in_order_is_done():
    given(works, SITE, POURED).when(BuildWalls(building="H", storey=1, bricks=1000)).then(WALLS)
    given(works, SITE, POURED, WALLS).when(FitWindows(building="H", storey=1, windows=2)).then(
        WindowsFitted(building="H", storey=1, windows=2)
    )


def test_every_rule_and_fold_of_both_is_pure():
    check_purity(works)
    check_purity(permits)


def test_each_event_has_its_picture_and_the_building_grows_in_it():
    with works.open("memory:", actor="architect") as running:
        assert build(running, the_works()) == 4
        life = frames(running, HOUSE)
        assert build(running, the_works()) == 4
        assert [one.svg for one in frames(running, HOUSE)] == [one.svg for one in life]
        done = [one.svg for one in life if one.refused is None]
        refusals = [one for one in life if one.refused is not None]
        assert refusals[0].refused == "walls need a foundation"
        assert len(done) == 12
        # The windows of a storey, the roof, paint: every event shows; a refusal changes nothing.
        assert len(set(done)) == len(done)
        for one in refusals:
            assert one.svg == life[one.number - 2].svg
        assert done[-1] == picture(running.state(Building, HOUSE))
        with TestClient(Pages(running, None, None).app()) as client:
            assert client.get("/?step=1").text.count("<svg") == 1
            page = client.get("/?step=2&language=en").text
            assert "refused: walls need a foundation" in page
            assert 'aria-label="an empty site"' in page
            assert "Aucun permis" in client.get("/permits").text


LOG = (
    "case-1,2010-10-02 09:20:39.266000+02:00,Confirmation of receipt,Resource26,Group 1,Internet,General,2010-11-26 00:00:00+01:00",
    "case-2,2010-10-02 09:21:00.000000+02:00,T02 Check confirmation of receipt,Resource26,Group 4,Desk,General,2010-11-26 00:00:00+01:00",
    "case-1,2010-10-02 09:21:26.588000+02:00,T02 Check confirmation of receipt,Resource4,Group 4,Internet,General,2010-11-26 00:00:00+01:00",
)
FIELDS = ("case", "time", "activity", "resource", "group", "channel", "department", "deadline")


def test_a_log_is_imported_once_and_what_cannot_be_so_is_refused():
    log = [dict(zip(FIELDS, line.split(","), strict=True)) for line in LOG]
    with permits.open("memory:", actor="importer") as running:
        assert imported(running, log) == (3, 1)
        head = running.head()
        assert imported(running, log) == (3, 1)
        assert running.head() == head
        (first, *_) = running.events()
        assert first.effective_at.isoformat() == "2010-10-02T07:20:39.266000+00:00"
        assert first.metadata.actor == "Resource26"


def test_the_real_permits_are_imported_and_found_by_any_word_of_them(tmp_path: Path):
    file = DATA / "building-permits.csv.gz"
    if not file.is_file():
        assert os.environ.get("CI") != "true", f"expected the real permits in {DATA}; say LEDGER_DATA=folder"
        print(f"no real permits in {DATA}: not checked")
        return
    with (
        permits.open("memory:", actor="importer") as running,
        Searching(running.store, tmp_path / "search.db") as searching,
    ):
        assert imported(running, lines(file)) == (8577, 0)
        searching.progress.wait(running.head(), timeout=60)
        running.wait_for(running.head(), timeout=60)
        assert [row.case for row in running.ask(Longest(count=1))] == ["case-9289"]
        with (
            TestClient(Pages(running, None, None).app()),
            TestClient(Pages(running, running, searching.search).app()) as client,
        ):
            page = client.get("/permits?q=external advice party&language=en").text
            assert re.search(r"<h2>\d+ found</h2>", page)
            assert page.count("receive external advice from party") == 21
            assert client.get("/permits?q=case:case-891").text.count('class="activity">T0') >= 3
            assert "Rien de tel." in client.get("/permits?q=helicopter").text
            assert 'class="wrong"' in client.get("/permits?q=before:yesterday").text
