"""Townships and addresses in the counties of the city."""

from random import Random

from jobs.contracts.place import County, place


def township_code(county: County, town: str) -> str:
    """The nine digits of a township; the last three are its place among the county's."""
    return f"{county.code}{county.towns.index(town) + 1:03d}"


def address(rng: Random, county: County) -> str:
    """A made-up street address in the county."""
    return f"{place().name}{county.name}{rng.choice(county.towns)}{rng.choice(place().roads)}{rng.randrange(1, 400)}号"
