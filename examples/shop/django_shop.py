"""A Django shop: orders are a model, the stock is on actum, used from ordinary blocking views; the door beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from starlette.applications import Starlette
from starlette.routing import Mount

from actum import Refused
from actum.http.asgi import asgi
from examples.shop.stock import OnHand, Reserve, stock

if TYPE_CHECKING:
    from django.http import HttpRequest, JsonResponse

    from actum import Running

urlpatterns: list[Any] = []


def shop(folder: Path) -> tuple[Starlette, Running]:
    """The shop, with its files in that folder, and the stock, which is its owner's to close."""
    settings.configure(
        ALLOWED_HOSTS=["*"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "shop.sqlite3"}},
        ROOT_URLCONF=__name__,
        SECRET_KEY="only an example",  # noqa: S106
        USE_TZ=True,
    )
    django.setup()
    running = stock.open(folder / "stock.db", actor="shop")
    _declare(running)
    return Starlette(routes=[Mount("/stock", asgi(stock, running)), Mount("/", get_asgi_application())]), running


def _declare(running: Running) -> None:
    from django.db import connection, models  # noqa: PLC0415 - Django is set up first
    from django.http import JsonResponse  # noqa: PLC0415
    from django.urls import path  # noqa: PLC0415

    class Order(models.Model):
        id = models.CharField(max_length=40, primary_key=True)
        customer = models.CharField(max_length=100)

        class Meta:
            app_label = "shop"

        def __str__(self) -> str:
            return f"{self.id} of {self.customer}"

    def order(request: HttpRequest) -> JsonResponse:
        said = json.loads(request.body)
        command = Reserve(article=said["article"], order=said["id"], count=said["count"])
        try:
            done = running.execute(command, id=f"order {said['id']}", reason="web order")
        except Refused as refused:
            return JsonResponse({"detail": refused.reason}, status=409)
        Order.objects.get_or_create(id=said["id"], defaults={"customer": said["customer"]})
        return JsonResponse({"position": done.position})

    def article(request: HttpRequest, article: str) -> JsonResponse:
        running.wait_for(int(request.GET.get("after", "0")))
        row = running.view(OnHand).get(article)
        return JsonResponse({"left": 0 if row is None else row.count, "orders": Order.objects.count()})

    with connection.schema_editor() as editor:
        editor.create_model(Order)
    urlpatterns.extend([path("orders", order), path("articles/<article>", article)])
