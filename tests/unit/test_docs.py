"""What the pages say is true of the code: commands, make words, links, tables, notebook; and they name no outside machine."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from typer.main import get_command

from jobs import contracts
from jobs.cli import app
from jobs.lake.zones import Zone
from jobs.model.delivery import STATE_WORDS
from jobs.settings import PROJECT

DOCS = PROJECT / "docs"
NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))
PAGES = sorted([*PROJECT.glob("*.md"), *DOCS.rglob("*.md")])
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.M | re.S)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (PROJECT / "Makefile").read_text("utf-8"), re.M))
# Put together here, so that this file does not hold the words that it looks for.
OUTSIDE = ["".join(parts) for parts in (
    ("py", "pi."), ("python", "hosted.org"), ("maven", ".org"), ("docker", ".io"), ("gh", "cr.io"), ("quay", ".io"),
    ("npmjs", ".org"), ("anaconda", ".org"), ("arti", "factory"), ("nexus", "."),
    ("/wo", "rk/"), ("/t", "mp/"), ("/ro", "ot/"), ("/ho", "me/"), ("/Us", "ers/"), ("C:", "\\"),
)]  # fmt: skip


def name(page: Path) -> str:
    return page.relative_to(PROJECT).as_posix()


def code(page: Path) -> Iterator[str]:
    """Lines of code blocks that are typed in a shell, and code in the text."""
    text = page.read_text("utf-8")
    for language, block in FENCE.findall(text):
        yield from (line.strip() for line in block.splitlines() if not language)
    yield from INLINE.findall(FENCE.sub("", text))


def typed(page: Path, word: str) -> list[str]:
    """Commands of a page that begin with the word, without what is only a comment or the word itself."""
    bare = (re.sub(r"^\.venv/bin/", "", line).split("  #")[0].strip() for line in code(page))
    return [line for line in bare if line.startswith(f"{word} ") and not line.startswith(f"{word} …")]


def leaves(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for word, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from leaves(command, (*path, word))
        else:
            yield (*path, word), command


COMMANDS = dict(leaves(get_command(app)))


def fault(line: str) -> str:
    """What is wrong with a typed `lake` command; empty where it could be run."""
    words = shlex.split(line)[1:]
    length = next((n for n in (1, 2) if tuple(words[:n]) in COMMANDS), 0)
    if not length:
        return "no such command"
    parameters = COMMANDS[tuple(words[:length])].params
    options = {o for p in parameters if p.param_type_name == "option" for o in (*p.opts, *p.secondary_opts)}
    unknown = [w for w in words[length:] if re.match(r"--?[a-z]", w) and w not in {*options, "--help"}]
    if unknown:
        return f"no option {unknown[0]}"
    takes = sum(p.param_type_name == "argument" for p in parameters)
    has = bool(words[length:]) and not words[length].startswith("-")
    return "takes no argument" if has and not takes else ""


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_lake_command_of_a_page_exists_with_its_options(page: Path) -> None:
    faults = {line: fault(line) for line in typed(page, "lake")}
    assert {line: said for line, said in faults.items() if said} == {}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_make_word_of_a_page_exists(page: Path) -> None:
    words = {line.split()[1] for line in typed(page, "make")}
    assert words <= TARGETS


def test_a_wrong_command_would_be_noticed() -> None:
    assert fault("lake nothing") == "no such command"
    assert fault("lake run a.csv --datasets x") == "no option --datasets"
    assert fault("lake tables x") == "takes no argument"


def test_readme_names_every_command_and_the_two_words_to_begin_with() -> None:
    lines = typed(PROJECT / "README.md", "lake")
    named = {path for path in COMMANDS for line in lines if tuple(line.split()[1 : 1 + len(path)]) == path}
    assert named == set(COMMANDS)
    assert {"make demo", "make test"} <= set(typed(PROJECT / "README.md", "make"))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_of_every_command_has_an_example_that_could_be_run(path: tuple[str, ...]) -> None:
    _, _, example = (COMMANDS[path].help or "").partition("Example:")
    shown = INLINE.findall(example)
    assert shown and [line for line in shown if fault(line)] == []
    assert all(line.startswith(" ".join(("lake", *path))) for line in shown)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_python_of_a_page_compiles(page: Path) -> None:
    for language, block in FENCE.findall(page.read_text("utf-8")):
        if language == "python":
            compile(block, name(page), "exec")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_relative_links_lead_somewhere(page: Path) -> None:
    links = [link.split("#")[0] for link in LINK.findall(page.read_text("utf-8")) if "://" not in link]
    assert [link for link in links if link and not (page.parent / link).exists()] == []


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set(), [PROJECT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached and page.suffix == ".md":
            reached.add(page)
            links = [link.split("#")[0] for link in LINK.findall(page.read_text("utf-8")) if "://" not in link]
            waiting.extend((page.parent / link).resolve() for link in links if link)
    assert {name(page) for page in PAGES} == {name(page) for page in reached}


@pytest.mark.parametrize("page", [p for p in PAGES if p.name.endswith(".zh.md")], ids=name)
def test_both_languages_have_the_same_sections_tables_and_commands(page: Path) -> None:
    other = page.with_name(page.name.replace(".zh.md", ".md"))
    shapes = []
    for text in (page.read_text("utf-8"), other.read_text("utf-8")):
        prose = FENCE.sub("", text)
        shapes.append((len(re.findall(r"^##+ ", prose, re.M)), len(re.findall(r"^\|[-|]+\|$", prose, re.M))))
    assert shapes[0] == shapes[1]
    assert {line for line in typed(page, "lake")} == {line for line in typed(other, "lake")}


@pytest.mark.parametrize("page", ["for-analysts.md", "for-analysts.zh.md"])
def test_analysts_page_lists_the_shipped_contracts(page: str) -> None:
    found = contracts.load(PROJECT / "schemas", PROJECT / "expectations")
    rows = [
        f"| `silver.{c.id}` | {c.title} | {c.department} (`{c.provider}`) | {_words(c.key())} | {c.write.mode} |"
        for c in found.sources()
    ]
    rows += [
        f"| `gold.{c.id}` | {c.title} | {_words(c.key())} | {_words(c.product.inputs if c.product else ())} |"
        for c in found.products()
    ]
    listed = re.findall(r"^\| `(?:silver|gold)\.\w+` \|.*$", (DOCS / page).read_text("utf-8"), re.M)
    assert sorted(listed) == sorted(rows)


def _words(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{one}`" for one in names)


def test_glossary_and_guides_name_every_state_and_zone() -> None:
    glossary = (DOCS / "glossary.md").read_text("utf-8")
    assert [z for z in Zone if f"`Zone.{z.name}`" not in glossary] == []
    for page in ("glossary.md", "for-governance-staff.md", "for-governance-staff.zh.md"):
        text = (DOCS / page).read_text("utf-8")
        assert [word for word in STATE_WORDS.values() if word not in text] == []


@pytest.mark.parametrize("file", [*PAGES, PROJECT / "LICENSE", *NOTEBOOKS, DOCS / "way.svg"], ids=name)
def test_no_registry_host_and_no_path_of_a_machine(file: Path) -> None:
    text = file.read_text("utf-8")
    assert [word for word in OUTSIDE if word.lower() in text.lower()] == []


def test_picture_is_well_formed_and_speaks_to_screen_readers() -> None:
    from xml.etree import ElementTree

    root = ElementTree.parse(DOCS / "way.svg").getroot()
    assert root.get("role") == "img"
    assert [e for e in root.iter() if e.tag.endswith(("}title", "}desc")) and not e.text] == []


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=name)
def test_notebook_is_valid_compiles_and_stores_no_output(notebook: Path) -> None:
    book = nbformat.reads(notebook.read_text("utf-8"), as_version=nbformat.NO_CONVERT)
    nbformat.validate(book)
    cells = [cell for cell in book.cells if cell.cell_type == "code"]
    assert cells and all(cell.outputs == [] and cell.execution_count is None for cell in cells)
    for cell in cells:
        compile(cell.source, cell.id, "exec")
    assert set(json.loads(notebook.read_text("utf-8"))["metadata"]) == {"kernelspec", "language_info"}


def test_changelog_has_an_entry_for_the_version_of_the_package() -> None:
    version = re.search(r'^version = "(.+)"$', (PROJECT / "pyproject.toml").read_text("utf-8"), re.M)
    assert version and f"## [{version[1]}]" in (PROJECT / "CHANGELOG.md").read_text("utf-8")
