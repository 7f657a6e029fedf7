"""How it looks: colours where somebody is looking, plain lines where not, and time to read in between."""

import os
import shutil
import sys
import threading
from decimal import Decimal

BOLD, FAINT, RED, GREEN, YELLOW, BLUE, CYAN = "1", "2", "31", "32", "33", "34", "36"


class Terminal:
    """Writes to standard output. `haste` leaves out the pauses."""

    def __init__(self, *, haste: bool) -> None:
        self._haste = haste
        self._stopped = threading.Event()
        self._colours = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._columns = shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 200

    def paint(self, text: str, *codes: str) -> str:
        """The text in a colour."""
        return f"\033[{';'.join(codes)}m{text}\033[0m" if self._colours and codes else text

    def act(self, number: int, english: str, french: str) -> None:
        """The title of an act, in both languages."""
        self.say()
        self.say(
            f"{self.paint(f' {number} ', BOLD, '7')} {self.paint(english, BOLD)} {self.paint('· ' + french, FAINT)}"
        )
        self.say()
        self.pause(1.2)

    def say(self, text: str = "") -> None:
        """One line."""
        print(text, flush=True)

    def cells(self, *cells: tuple[str, int, str]) -> None:
        """One line of cells: text, width, colour; the last is cut where the terminal ends."""
        left = self._columns - 1
        line = ""
        for text, width, colour in cells:
            shown = text[:left] if width == 0 else f"{text[:width]:<{width}} "
            line += self.paint(shown, colour)
            left = max(0, left - len(shown))
        self.say(line)

    def pause(self, seconds: float) -> None:
        """Time to read."""
        if not self._haste:
            self._stopped.wait(seconds)

    def stop(self) -> None:
        """No more pauses: it is over."""
        self._stopped.set()

    @property
    def stopped(self) -> bool:
        """Whether it is over."""
        return self._stopped.is_set()


def money(amount: Decimal, language: str) -> str:
    """An amount as people write it: €1,234.50 or 1 234,50 €."""
    english = f"{amount:,.2f}"
    if language == "en":
        return f"€{english}"
    return english.translate(str.maketrans(",.", "\N{NARROW NO-BREAK SPACE},")) + " €"
