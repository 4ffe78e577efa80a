"""What pages look like, as far as it can be computed: contrast of colours, labels, headings, nothing from outside."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from jobs.serving.portal.rendering import REPORT_TEMPLATES, STATIC
from tests.unit.serving.portal.portal_city import Browser, City, city

CSS = (REPORT_TEMPLATES / "report.css").read_text("utf-8") + (STATIC / "portal.css").read_text("utf-8")
VARIABLES = dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6})", CSS))
PAGES = ("/tasks", "/tickets", "/datasets", "/datasets/divisions", "/uploads", "/uploads/new", "/requests/new", "/notices",
         "/reports", "/help", "/password", "/search?q=a", "/departments/civil_affairs", "/departments/civil_affairs/loop?of=new", "/bulletins",
         "/grants", "/datasets/divisions/lineage", "/datasets/hotline_day/lineage", "/datasets/hotline_day/lineage?column=day")  # fmt: skip
BUREAU_PAGES = ("/overview", "/overview/loop?of=new", "/tasks", "/tickets", "/audit", "/grants")
WHITE = "#ffffff"


def colour(text: str) -> str:
    text = VARIABLES.get(text.removeprefix("var(--").removesuffix(")"), text)
    return "#" + "".join(2 * c for c in text[1:]) if len(text) == 4 else text


def luminance(text: str) -> float:
    parts = [int(text[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2."""
    light, dark = sorted((luminance(colour(one)), luminance(colour(other))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def rules() -> Iterator[tuple[str, str]]:
    yield from re.findall(r"([^{}]+)\{([^{}]*)\}", CSS)


def declared(name: str, body: str) -> str | None:
    found = re.search(rf"(?:^|[;\s]){name}: (#[0-9a-f]{{3,6}}|var\(--\w+\))", body)
    return found[1] if found else None


PAIRS = [
    (selector.strip(), text, ground)
    for selector, body in rules()
    if (text := declared("color", body)) and (ground := declared("background", body))
]
ON_WHITE = [
    (selector.strip(), text)
    for selector, body in rules()
    if (text := declared("color", body))
    and not declared("background", body)
    and not re.search(r"\.bar|nav\.main|\.plain", selector)
]
BAR, NAV, WASH, PANEL = "#1b4b72", "#123350", "#f3f6f8", "#f3f6f8"


@pytest.mark.parametrize(("selector", "text", "ground"), PAIRS)
def test_text_on_its_own_ground_can_be_read(selector: str, text: str, ground: str) -> None:
    assert contrast(text, ground) >= 4.5


@pytest.mark.parametrize(("selector", "text"), ON_WHITE)
def test_text_on_paper_and_on_panels_can_be_read(selector: str, text: str) -> None:
    assert contrast(text, WHITE) >= 4.5 and contrast(text, PANEL) >= 4.5


@pytest.mark.parametrize(
    ("one", "other", "least"),
    [
        (WHITE, BAR, 4.5),
        (WHITE, NAV, 4.5),
        ("#ffd166", BAR, 3),
        ("#ffd166", NAV, 3),
        ("#b45309", WHITE, 3),
        ("#6b7780", WHITE, 3),
        ("#0b5394", WHITE, 4.5),
        ("#0b5394", WASH, 4.5),
        ("#16202a", "#e3f1e7", 4.5),
        ("#16202a", "#b9dcc3", 4.5),
        ("#16202a", "#f7e3a6", 4.5),
        ("#16202a", "#f0b27a", 4.5),
        ("#16202a", "#e5e7eb", 4.5),
        (WHITE, "#a61b13", 4.5),
    ],
)
def test_other_pairs_reach_their_ratio(one: str, other: str, least: float) -> None:
    assert contrast(one, other) >= least and one.lower() in CSS + WHITE and other.lower() in CSS + WHITE


def test_contrast_is_computed_as_the_standard_has_it() -> None:
    assert round(contrast("#000000", WHITE), 2) == 21 and round(contrast("#777777", WHITE), 2) == 4.48
    assert len(PAIRS) >= 8


class Outline(HTMLParser):
    """Labels, controls, headings, addresses and scripts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.labelled: set[str] = set()
        self.controls: list[dict[str, str | None]] = []
        self.headings: list[int] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.inline: list[str] = []
        self.depth = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.depth += tag == "label"
        if tag == "label" and given.get("for"):
            self.labelled.add(str(given["for"]))
        if tag in ("input", "select", "textarea") and given.get("type") != "hidden":
            self.controls.append(given | {"inside": "yes" if self.depth else None})
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        self.addresses += [str(given[n]) for n in ("src", "href", "action") if given.get(n)]
        self.ids += [str(given["id"])] if given.get("id") else []
        self.inline += [n for n in given if n.startswith("on") or n == "style"]
        if tag in ("style",) or (tag == "script" and not given.get("src")):
            self.inline.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag == "label"


@pytest.fixture(scope="module")
def town(made_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    root = tmp_path_factory.mktemp("looks")
    (root / "state.db").write_bytes(made_sqlite.read_bytes())
    made = city(root, f"sqlite:///{root / 'state.db'}")
    yield made
    made.portal.tickets.database.close()
    made.portal.lake.ledger.close()


@pytest.fixture(scope="module")
def browsers(town: City) -> dict[str, Browser]:
    return {name: Browser(town.portal, name) for name in ("own", "auditor", "officer")} | {"": Browser(town.portal)}


@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("", "/login"),
        *(("own", p) for p in PAGES),
        *(("auditor", p) for p in BUREAU_PAGES),
        ("own", "T"),
        ("officer", "T"),
    ],
)
def test_pages_are_labelled_ordered_and_all_their_own(
    browsers: dict[str, Browser], town: City, who: str, path: str
) -> None:
    answer = browsers[who].get(f"/tickets/{town.issue}" if path == "T" else path)
    assert answer.status_code == 200
    page, seen = answer.text, Outline(answer.text)
    assert 'lang="zh-CN"' in page and '<a class="skip" href="#content">' in page and 'id="content"' in page
    assert [c for c in seen.controls if not c["inside"] and c.get("id") not in seen.labelled] == []
    assert seen.headings[0] == 1 and seen.headings.count(1) == 1
    assert all(later - before <= 1 for before, later in zip(seen.headings, seen.headings[1:], strict=False))
    assert [a for a in seen.addresses if not a.startswith(("/", "#", "data:,"))] == []
    assert len(seen.ids) == len(set(seen.ids)) and seen.inline == []
    assert "{{" not in page and "None" not in page and "Undefined" not in page


def test_styles_name_nothing_outside_and_fold_on_a_phone_and_print() -> None:
    assert "@import" not in CSS and "url(" not in CSS
    assert "@media (max-width: 600px)" in CSS and "@media print" in CSS
