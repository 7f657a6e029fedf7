"""The words of the ASGI specification, as Starlette types them, for rooms that speak it and need nothing more of Starlette."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["ASGIApp", "Receive", "Scope", "Send"]
