"""A projection that writes by Django's models: `python -m tests.unit.projection.flows_in_django JOURNAL DATABASE VIEWS`.

`DATABASE` is where Django's own tables would be, `VIEWS` where the views are kept. Prints what it finds, as JSON.
"""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from typing import Any

import django
from django.conf import settings
from psycopg.conninfo import conninfo_to_dict

from actum import App, Running
from actum.journal.readmodel import Change
from actum.subscription.policy import park
from tests.unit.projection.bank import AccountId, Deposited, Opened, Transferred, fill, some_events


def _configure(database: str) -> None:
    if "://" not in database:
        settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database}})
    else:
        parts = conninfo_to_dict(database)
        known = {
            "NAME": parts["dbname"],
            "USER": parts.get("user"),
            "HOST": parts.get("host"),
            "PORT": parts.get("port", ""),
        }
        settings.configure(USE_TZ=True, DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", **known}})
    django.setup()


class Failing:
    """What the handler of today cannot take."""

    accounts = {"A-3"}


def declared() -> Any:
    """The bank with its projection, and the model that it writes. Django is set up by now."""
    from django.db import connection, models, transaction

    from actum.projection.models import models_on

    class Flow(models.Model):  # type: ignore[misc]  # noqa: DJ008 - nobody looks at one
        source = models.CharField(max_length=40)
        target = models.CharField(max_length=40)
        times = models.IntegerField(default=0)
        amount = models.DecimalField(max_digits=20, decimal_places=2, default=Decimal(0))
        seen_at = models.DateTimeField(null=True)

        class Meta:
            app_label = "flows"
            constraints = (models.UniqueConstraint("source", "target", name="one_flow"),)

    def make(db: Any) -> None:
        with models_on(db), connection.schema_editor() as editor:
            editor.create_model(Flow)

    def undone(flow: Flow) -> None:
        """A savepoint of Django's own."""
        try:
            with transaction.atomic():
                Flow.objects.filter(pk=flow.pk).update(times=-1)
                raise LookupError  # noqa: TRY301 - the block is rolled back by it
        except LookupError:
            flow.refresh_from_db()

    bank = App("bank")
    bank.knows(Opened, Deposited)

    @bank.projection(by=AccountId, begin=make, on_failure=park(attempts=1))
    def flows(event: Transferred, db: Any, key: str) -> None:
        if key != event.source:
            return
        with models_on(db):
            flow, _ = Flow.objects.get_or_create(source=event.source, target=event.target)
            undone(flow)
            flow.times += 1
            flow.amount += event.amount
            flow.save()
            if key in Failing.accounts:
                raise ValueError(f"{key} is out of reach")

    return bank, Flow


def found_in(running: Running, model: Any) -> list[Any]:
    """What Django finds there."""
    from actum.projection.models import models_on

    found: list[Any] = []

    def look(db: Any) -> None:
        with models_on(db):
            found.extend(model.objects.values_list("source", "target", "times", "amount").order_by("source", "target"))

    (shape,) = (plan.shape for plan in running.views.shelf.plans if plan.name == "flows")
    (share,) = running.views.database.shares(shape)
    assert running.views.database.commit([Change(shape, (), share.mark, share.mark, epoch=share.epoch, work=look)])
    return found


def main(journal: str, database: str, views: str) -> None:
    _configure(database)
    bank, model = declared()
    with bank.open(journal, actor="tester", follow=False, read_database=views) as running:
        fill(running.store, some_events(400, seed=61))
        running.catch_up()
        parked = [one.key for one in running.parked()]
        Failing.accounts.clear()
        running.retry("flows")
        found = found_in(running, model)
        running.rebuild(running.app.projections["flows"].cls).switch()
        running.append(Transferred(source="A-1", target="A-2", amount=Decimal(1)))
        running.catch_up()
        rebuilt = found_in(running, model)
    print(json.dumps({"parked": parked, "flows": found, "rebuilt": rebuilt}, default=str))


if __name__ == "__main__":
    main(*sys.argv[1:])
