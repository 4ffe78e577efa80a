"""Keys of devices in the portal: a secret is shown once, a rotated key stays valid for a while, an ended one opens nothing."""

import re

from jobs.serving.collector.keys import Keys
from tests.unit.serving.portal.portal_city import Browser, City

SECRET = re.compile(r"<code>(lake_\w+_[\w-]+)</code>")


def test_a_key_is_made_rotated_and_ended(town: City) -> None:
    browser, keys = Browser(town.portal, "operator"), Keys(town.portal.tickets.database)
    made = browser.post("/keys", {"provider": "liaocheng_heat", "note": "网关"})
    (secret,) = SECRET.findall(made.text)
    owner = keys.owner(secret, town.clock[0])
    assert owner is not None and (owner.provider, owner.note) == ("liaocheng_heat", "网关")
    assert secret not in browser.get("/keys").text
    (second,) = SECRET.findall(browser.post(f"/keys/{owner.id}/rotate", {}).text)
    assert keys.owner(secret, town.clock[0]) is not None
    town.wait(days=8)
    assert keys.owner(secret, town.clock[0]) is None
    other = keys.owner(second, town.clock[0])
    assert other is not None
    assert Browser(town.portal, "operator").post(f"/keys/{other.id}/end", {}).status_code == 303
    assert keys.owner(second, town.clock[0]) is None


def test_a_key_is_for_a_provider_with_a_stream(town: City) -> None:
    assert Browser(town.portal, "operator").post("/keys", {"provider": "civil_affairs"}).status_code == 422
    assert Keys(town.portal.tickets.database).all() == []
