"""The console: a running system looked at in a browser, and helped on: served as an ASGI application."""

from actum.console.app import Console, console

__all__ = ["Console", "console"]
