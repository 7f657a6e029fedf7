"""One aggregate on actum, the stock of a shop, inside FastAPI, Django and Litestar projects that otherwise have ordinary tables."""
