"""A page used by its keys alone."""

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

MOST_STOPS = 150


def listen(page: Page) -> None:
    """Wait for file choosers from now on: a listener added just before the key may come too late for it."""
    page.on("filechooser", lambda _: None)


def reached(page: Page, wanted: Locator) -> None:
    """Move the focus on, key by key, until it is there."""
    expect(wanted).to_be_visible()
    for _ in range(MOST_STOPS):
        if wanted.evaluate("field => field === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{wanted} is not reached by keyboard")


def typed(page: Page, wanted: Locator, text: str) -> None:
    reached(page, wanted)
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(text)


def pressed(page: Page, wanted: Locator, key: str = "Enter") -> None:
    reached(page, wanted)
    page.keyboard.press(key)


def chosen(page: Page, wanted: Locator, value: str) -> None:
    """An option of a list, by the arrow keys."""
    reached(page, wanted)
    for _ in range(60):
        if wanted.input_value() == value:
            return
        page.keyboard.press("ArrowDown")
    pytest.fail(f"{value} is not among the options of {wanted}")


def attached(page: Page, wanted: Locator, file: Path) -> None:
    """A file, by the chooser that the Enter key opens."""
    reached(page, wanted)
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(file)


def step(page: Page, name: str) -> Locator:
    """The form of a step of the ticket, unfolded by keyboard where it is folded."""
    form = page.locator("details.step", has=page.locator("summary", has_text=name)).first
    if form.get_attribute("open") is None:
        pressed(page, form.locator("summary"))
    return form
