"""Why nothing was seeded.

SeedingError
├── AlreadySeeded     this seed's rows are in the database
├── InProduction      made-up people have no place here
└── Interfered        somebody took a name or an id meanwhile
"""


class SeedingError(Exception):
    """Base; its text is a sentence for the person at the terminal. Nothing was changed."""


class AlreadySeeded(SeedingError):
    """Seeding twice from one seed would only repeat the same rows."""


class InProduction(SeedingError):
    """The password of the made-up customers is known to everybody."""


class Interfered(SeedingError):
    """A name or id that was free when we looked was taken when we wrote."""
