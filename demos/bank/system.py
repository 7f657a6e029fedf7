"""The bank as a system of three contexts, and which release of the customer's view it runs."""

import os
from pathlib import Path

from actum import System
from demos.bank.accounts import accounts
from demos.bank.assets import assets_of
from demos.bank.placements import placements

RELEASE_FILE = "BANK_RELEASE"
"""The setting that names the file in which the number of the release stands that is deployed."""


def release_file() -> Path:
    """Where it stands: beside the journals, unless the setting says otherwise."""
    return Path(os.environ.get(RELEASE_FILE, "bank.data/release"))


def deployed(file: Path) -> int:
    """The number of the release that is to run: the first one, until another was deployed."""
    try:
        return int(file.read_text(encoding="ascii"))
    except FileNotFoundError:
        return 1


def deploy(release: int, file: Path) -> None:
    """From the next start on, that release runs. Whole or not at all: the file is put in place in one step."""
    fresh = file.with_suffix(".fresh")
    fresh.write_text(str(release), encoding="ascii")
    fresh.replace(file)


bank = System(
    "bank",
    accounts,
    placements,
    assets_of(deployed(release_file())),
    page="demos.bank.page:page",
    older={"assets": assets_of(1)},
)
