"""What the two pages say, in French and in English."""

from msgspec import Struct


class Words(Struct, frozen=True):
    """Everything in one language."""

    building: str
    permits: str
    step: str
    first: str
    back: str
    on: str
    last: str
    play: str
    refused: str
    by: str
    search: str
    hint: str
    none: str
    found: str
    longest: str
    without: str
    other: str
    reasons: dict[str, str]

    def reason(self, english: str) -> str:
        """Why something was refused."""
        return self.reasons.get(english, english)


FRENCH = Words(
    building="Le bâtiment",
    permits="Les permis",
    step="étape {step} sur {all}",
    first="Le terrain",
    back="Avant",
    on="Après",
    last="Aujourd'hui",
    play="Rejouer",
    refused="refusé : {why}",
    by="par",
    search="Chercher",
    hint="un mot, case:case-891, actor:Resource26, channel=Desk, before:2011-01-01…",
    none="Rien de tel.",
    found="{count} trouvés",
    longest="Les dossiers les plus longs",
    without="Aucun permis importé : python -m demos.building --permits FICHIER",
    other="English",
    reasons={
        "walls need a foundation": "pas de murs sans fondations",
        "a roof needs all walls": "pas de toit sans tous les murs",
        "paint needs a roof above it: it might rain": "pas de peinture sans toit : il pourrait pleuvoir",
        "not finished": "ce n'est pas fini",
    },
)

ENGLISH = Words(
    building="The building",
    permits="The permits",
    step="step {step} of {all}",
    first="The site",
    back="Before",
    on="After",
    last="Today",
    play="Replay",
    refused="refused: {why}",
    by="by",
    search="Search",
    hint="a word, case:case-891, actor:Resource26, channel=Desk, before:2011-01-01…",
    none="Nothing of the kind.",
    found="{count} found",
    longest="The longest cases",
    without="No permits imported: python -m demos.building --permits FILE",
    other="Français",
    reasons={},
)


def words_of(language: str) -> Words:
    """Everything in that language."""
    return ENGLISH if language == "en" else FRENCH
