"""What the page says, in French and in English, and how each of them writes an amount."""

from decimal import Decimal

from msgspec import Struct

SPACE = "\u00a0"

LANGUAGES = ("fr", "en")


def money(amount: Decimal, language: str) -> str:
    """`-51 567,98 €` or `-€51,567.98`, with spaces that do not break."""
    digits = f"{abs(amount):,.2f}"
    sign = "-" if amount < 0 else ""
    if language == "fr":
        return f"{sign}{digits.replace(',', SPACE).replace('.', ',')}{SPACE}€"
    return f"{sign}€{digits}"


def label(text: str, language: str) -> str:
    """One half of `paid in · versement`, or all of a text that has no halves."""
    english, _, french = text.partition(" · ")
    return french if french and language == "fr" else english


class Step(Struct, frozen=True):
    """One step of the tour: what it is called, and what to do."""

    title: str
    text: str


class Words(Struct, frozen=True):
    """Everything that the page says in one language."""

    bank: str
    customers: str
    customer: str
    total: str
    current_account: str
    pea: str
    why: str
    in_console: str
    operations: str
    live: str
    live_waits: str
    tour: str
    step: str
    next: str
    back: str
    again: str
    pay_in: str
    draw: str
    done: str
    refused: str
    away: str
    denied: str
    log_out: str
    not_heard: str
    other_language: str
    theme: str
    steps: tuple[Step, ...]
    build: str
    built: str
    compare: str
    rows_differ: str
    shown_now: str
    shown_then: str
    since: str
    switch: str
    switched: str
    go_back: str
    went_back: str
    release: str
    delete: str
    deleted: str
    digest_before: str
    digest_after: str
    equal: str
    different: str
    rebuilt: str
    stop: str
    start: str
    on: str
    off: str
    journal: str
    shows: str
    behind: str
    consequences: str
    all_well: str
    alone: str


FRENCH = Words(
    bank="Banque Actum",
    customers="Clients",
    customer="Client",
    total="Total de vos avoirs",
    current_account="Compte courant",
    pea="PEA",
    why="Expliquer ce nombre",
    in_console="La même explication dans la console, avec les liens vers chaque événement",
    operations="Dernières opérations",
    live="En direct des journaux",
    live_waits="En attente du prochain événement…",
    tour="Visite guidée",
    step="étape",
    next="Continuer",
    back="Revenir",
    again="Recommencer",
    pay_in="Verser",
    draw="Payer",
    done="C'est fait : événement n° {position} du journal.",
    refused="Refusé, et consigné : {why}",
    away="Ce service est arrêté.",
    denied="Vous n'en avez pas le droit ; il faut {needed}.",
    log_out="Se déconnecter",
    not_heard="Ce client n'est pas encore connu ici.",
    other_language="English",
    theme="Clair ou sombre",
    steps=(
        Step(
            "Regardez passer les événements",
            "Tout ce qui arrive à la banque est un événement dans un journal : versements, virements, ordres de bourse. "
            "Les voici en direct. Les chiffres de la page n'en sont que la somme.",
        ),
        Step(
            "Trouvez le nombre faux",
            "Le total ne peut pas être juste : le PEA est positif, et le total est plus bas que le compte courant. Touchez le ⓘ "
            "à côté du total : la formule, ses parts, et les événements dont elles sont faites.",
        ),
        Step(
            "Déployez la version 2 à côté",
            "Le PEA a été soustrait au lieu d'être ajouté. La vue corrigée se construit à partir du journal, à côté de celle "
            "que les clients voient : rien ne change encore pour eux.",
        ),
        Step(
            "Comparez",
            "Chaque ligne de la nouvelle vue est comparée à l'ancienne, au même événement près : ce qui diffère, de combien, "
            "et depuis quand.",
        ),
        Step(
            "Basculez",
            "Tous les lecteurs voient la nouvelle vue au même instant. Qui l'a fait et pourquoi est consigné ; l'ancienne "
            "est gardée, pour pouvoir revenir.",
        ),
        Step(
            "Supprimez la base de lecture",
            "Elle n'a rien que le journal n'ait pas. Supprimez-la : elle revient à l'identique, jusqu'au dernier octet de son "
            "empreinte.",
        ),
        Step(
            "Arrêtez les services, un par un",
            "Chaque service est un processus. Arrêtez-en un : ce qui marche encore, ce qui attend, et, une fois relancé, "
            "que rien n'est perdu.",
        ),
    ),
    build="Construire la version 2",
    built="La version 2 est prête, à côté : {position} événements. Les clients voient encore la version 1.",
    compare="Comparer les deux versions",
    rows_differ="{changed} lignes diffèrent sur {rows}, toutes dans la colonne « {columns} »",
    shown_now="Affiché",
    shown_then="Version 2",
    since="depuis l'événement",
    switch="Basculer vers la version 2",
    switched="La version 2 est en ligne, depuis l'événement n° {position} qui dit qui a basculé, et pourquoi.",
    go_back="Revenir à la version 1",
    went_back="La version 1 est de nouveau en ligne, depuis l'événement n° {position}.",
    release="version",
    delete="Supprimer la base de lecture",
    deleted="supprimé",
    digest_before="empreinte avant",
    digest_after="empreinte après",
    equal="Identiques",
    different="Différentes",
    rebuilt="reconstruite en {seconds} s, à partir de {events} événements",
    stop="Arrêter",
    start="Relancer",
    on="en marche",
    off="arrêté",
    journal="journal",
    shows="affiche",
    behind="en retard de {events}",
    consequences="Ce qui s'ensuit",
    all_well="Tout marche : rien n'attend.",
    alone="Tout tourne dans un seul processus : pour cette étape, lancez « actum up demos.bank:bank », où chaque service en a un.",
)

ENGLISH = Words(
    bank="Actum Bank",
    customers="Customers",
    customer="Customer",
    total="Everything you have",
    current_account="Current account",
    pea="Share savings plan (PEA)",
    why="Explain this number",
    in_console="The same explanation in the console, with links to every event",
    operations="Latest movements",
    live="Live from the journals",
    live_waits="Waiting for the next event…",
    tour="Guided tour",
    step="step",
    next="Go on",
    back="Back",
    again="From the beginning",
    pay_in="Pay in",
    draw="Pay out",
    done="Done: event no. {position} of the journal.",
    refused="Refused, and on record: {why}",
    away="This service is off.",
    denied="You may not; it takes {needed}.",
    log_out="Log out",
    not_heard="This customer is not known here yet.",
    other_language="Français",
    theme="Light or dark",
    steps=(
        Step(
            "Watch events scroll by",
            "Whatever happens at the bank is an event in a journal: money paid in, transfers, orders. Here they are, live. "
            "The figures of the page are nothing but their sum.",
        ),
        Step(
            "Find the wrong number",
            "The total cannot be right: the savings plan is positive, and the total is below the current account. Touch the ⓘ "
            "beside the total: its formula, its parts, and the events that they are made of.",
        ),
        Step(
            "Deploy version 2 beside it",
            "The savings plan was subtracted instead of added. The mended view is built from the journal, beside the one "
            "that customers see: nothing changes for them yet.",
        ),
        Step(
            "Compare",
            "Each row of the new view is compared with the old one, as of one and the same event: what differs, by how much, "
            "and since when.",
        ),
        Step(
            "Switch",
            "All readers see the new view from one moment on. Who did it, and why, is on record; the old one is kept, so "
            "that one can go back.",
        ),
        Step(
            "Delete the read database",
            "It has nothing that the journal has not. Delete it: it comes back identical, down to the last byte of its "
            "digest.",
        ),
        Step(
            "Switch the services off, one by one",
            "Each service is a process. Stop one: see what still works, what waits, and, once it is started again, that "
            "nothing is lost.",
        ),
    ),
    build="Build version 2",
    built="Version 2 is ready, beside: {position} events. Customers still see version 1.",
    compare="Compare the two versions",
    rows_differ="{changed} of {rows} rows differ, all of them in the column “{columns}”",
    shown_now="Shown",
    shown_then="Version 2",
    since="since event",
    switch="Switch to version 2",
    switched="Version 2 is live since event no. {position}, which says who switched, and why.",
    go_back="Go back to version 1",
    went_back="Version 1 is live again, since event no. {position}.",
    release="version",
    delete="Delete the read database",
    deleted="deleted",
    digest_before="digest before",
    digest_after="digest after",
    equal="Identical",
    different="Different",
    rebuilt="rebuilt in {seconds} s, from {events} events",
    stop="Stop",
    start="Start",
    on="running",
    off="off",
    journal="journal",
    shows="shows",
    behind="{events} behind",
    consequences="What follows",
    all_well="All is well: nothing waits.",
    alone="Everything runs in one process: for this step start “actum up demos.bank:bank”, where each service has its own.",
)


def words_of(language: str) -> Words:
    """Everything in that language; French where nobody says otherwise."""
    return ENGLISH if language == "en" else FRENCH
