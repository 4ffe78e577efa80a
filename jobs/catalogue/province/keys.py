"""What names a resource: its code, else its title within a department; and a department, whose name may lack the city's."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from jobs.catalogue.province.form import CODE, ITEM_NAME, ITEM_TITLE, form
from jobs.catalogue.province.resources import Cells, Resource
from jobs.catalogue.province.values import plain_code
from jobs.catalogue.search import normal
from jobs.contracts.place import place

PROVINCE_CODE = "province_code"


class ResourceIndex:
    """Resources by what names them, in the order in which they were added."""

    def __init__(self, found: Iterable[Resource] = ()) -> None:
        self.resources: list[Resource] = []
        self._by_code: dict[str, list[int]] = defaultdict(list)
        self._by_title: dict[str, list[int]] = defaultdict(list)
        for one in found:
            self.add(one)

    def add(self, one: Resource) -> int:
        """The number of the added resource."""
        number = len(self.resources)
        self.resources.append(one)
        for code in codes(one):
            self._by_code[code].append(number)
            self._by_code[_loose(code)].append(number)
        self._by_title[normal(one.title)].append(number)
        return number

    def with_code_of(self, one: Resource) -> int | None:
        """The number of the only resource with the same code; leading zeros count unless the code was a number."""
        for code in codes(one):
            numbers = set(self._by_code.get(code, ()))
            if not numbers and one.has_loose_code:
                numbers = set(self._by_code.get(_loose(code), ()))
            if len(numbers) == 1:
                return numbers.pop()
        return None

    def with_title_of(self, one: Resource) -> int | None:
        """The number of the only resource with the same title in the same department, or where one side names none."""
        numbers = self._by_title.get(normal(one.title), ()) if one.title else ()
        agreeing = [n for n in numbers if not one.provider or self.resources[n].provider in ("", one.provider)]
        return agreeing[0] if len(agreeing) == 1 else None


def codes(one: Resource) -> Iterator[str]:
    """The codes of a resource as compared: its own, and the one that the province gave it."""
    return (plain_code(one.text(name)) for name in (CODE, PROVINCE_CODE) if one.text(name))


def providers(departments: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Each name of a department as compared → its provider. `departments`: provider and name."""
    found = dict[str, str]()
    for provider, name in departments:
        known = form().departments.get(provider)
        names = (provider, name, known.code, *known.names) if known else (provider, name)
        found |= {plain_department(one): provider for one in names if one}
    return found


def plain_department(name: str) -> str:
    """A department's name as compared, without the name of the city: X市民政局, 市民政局 and 民政局 are one."""
    text = normal(name)
    for city in (place().name, place().short_name, place().name[-1]):
        if text.startswith(normal(city)):
            return text.removeprefix(normal(city))
    return text


def is_same_item(one: Cells, other: Cells) -> bool:
    """Whether two items are one: by their names in the tables where both have one, else by their titles."""
    names = [cells.get(ITEM_NAME, "") for cells in (one, other)]
    if all(names):
        return normal(names[0]) == normal(names[1])
    return normal(one.get(ITEM_TITLE, "")) == normal(other.get(ITEM_TITLE, ""))


def _loose(code: str) -> str:
    """A code as a number keeps it."""
    return f"0*{code.lstrip('0')}"
