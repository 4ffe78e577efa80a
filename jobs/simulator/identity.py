"""Made-up identities with right check digits: GB 11643 identity numbers, GB 32100 credit codes, names, telephones."""

from datetime import date, timedelta
from random import Random

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
ORGANISATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
IDENTITY_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)

SURNAMES = "安柏岑池邓方甘何江柯林孟宁欧潘齐阮石唐尉夏燕于郑"
SYLLABLES = "安白晨川东帆冠海景凯兰明宁朋清然山舒天文晓阳云知"


def identity_check(body: str) -> str:
    """Check character of 17 digits, per GB 11643."""
    return "10X98765432"[sum(int(c) * w for c, w in zip(body, IDENTITY_WEIGHTS, strict=True)) % 11]


def uscc_check(body: str) -> str:
    """Check character of 17 characters, per GB 32100-2015."""
    total = sum(USCC_ALPHABET.index(c) * w for c, w in zip(body, USCC_WEIGHTS, strict=True))
    return USCC_ALPHABET[(31 - total % 31) % 31]


def organisation_check(body: str) -> str:
    """Check character of 8 characters, per GB 11714-1997."""
    total = sum(ORGANISATION_ALPHABET.index(c) * w for c, w in zip(body, ORGANISATION_WEIGHTS, strict=True))
    return "0123456789X0"[11 - total % 11 if total % 11 else 11]


def identity_number(rng: Random, division: str) -> str:
    """A valid identity number that does not end in 000, of an adult born in the division."""
    born = date(1955, 1, 1) + timedelta(days=rng.randrange(17_000))
    body = f"{division}{born:%Y%m%d}{rng.randrange(10)}{rng.randrange(1, 100):02d}"
    return body + identity_check(body)


def rounded(number: str) -> str:
    """The number as a spreadsheet stores it, 15 digits and 000; shifted by one digit where that would be valid by chance."""
    first = number[:15]
    if identity_check(first + "00") == "0":
        first = first[:14] + str((int(first[14]) + 1) % 10)
    return first + "000"


def uscc(rng: Random, prefix: str, division: str) -> str:
    """A valid unified social credit code; `prefix` is authority and class, such as 91."""
    body = "MA" + "".join(rng.choice(USCC_ALPHABET) for _ in range(6))
    seventeen = f"{prefix}{division}{body}{organisation_check(body)}"
    return seventeen + uscc_check(seventeen)


def person_name(rng: Random) -> str:
    """Two or three characters from a small list of syllables."""
    return rng.choice(SURNAMES) + "".join(rng.choice(SYLLABLES) for _ in range(rng.choice((1, 2, 2))))


def mobile(rng: Random) -> str:
    """Eleven digits of a mobile telephone."""
    return f"1{rng.choice('35789')}{rng.randrange(10**9):09d}"
