"""A real bank's ledger: `messages`, `domain` and `views` are the bank, the rest brings in its records and checks them.

`python -m examples.ledger --data DIR --journal PATH` does it all; `actum tail --journal PATH` looks at it.
"""

from examples.ledger import views
from examples.ledger.domain import bank

__all__ = ["bank", "views"]
