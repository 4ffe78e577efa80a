"""The lake's assets. Their events come from tasks, and from the watch, which runs in the triggerer and holds no worker."""

import asyncio
from collections.abc import AsyncIterator

from airflow.sdk import Asset, AssetWatcher
from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from jobs.contracts import assets

PAUSE_S, LONGEST_PAUSE_S, PAGE_PAUSE_S = 0.5, 3.0, 0.2
"""Seconds between looks at the landing zone, at first and after some quiet minutes, and between two pages of it."""


class LakeWatch(BaseEventTrigger):
    """Fires for one asset; the watches of all assets share one look at the lake."""

    def __init__(self, asset: str) -> None:
        super().__init__()
        self.asset = asset

    def serialize(self) -> tuple[str, dict]:
        """Where the triggerer finds it, and for which asset."""
        return "lake_watch.LakeWatch", {"asset": self.asset}

    def shared_stream_key(self) -> str:
        """One stream for all."""
        return "lake"

    @classmethod
    async def open_shared_stream(cls, kwargs: dict) -> AsyncIterator[tuple[str, list[str]]]:
        """(asset, ids of deliveries), without end."""
        from jobs.pipeline.watch import watched

        looks, pause = watched(), PAUSE_S
        while True:
            events, is_through = await asyncio.to_thread(next, looks)
            for event in events.items():
                yield event
            pause = PAUSE_S if events else min(1.01 * pause, LONGEST_PAUSE_S)
            await asyncio.sleep(pause if is_through else PAGE_PAUSE_S)

    async def filter_shared_stream(self, shared_stream: AsyncIterator) -> AsyncIterator[TriggerEvent]:
        """Those of its own asset."""
        async for asset, deliveries in shared_stream:
            if asset == self.asset:
                yield TriggerEvent({"deliveries": deliveries})

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """For a triggerer that shares no streams."""
        async for event in self.filter_shared_stream(self.open_shared_stream({})):
            yield event


def watched_asset(asset: str, name: str = "") -> Asset:
    """The asset of a dataset or product. It has the same watcher wherever it is named, since Airflow keeps one list for each."""
    uri = assets.uri(asset, name)
    return Asset(uri, watchers=[AssetWatcher(name="watch", trigger=LakeWatch(uri.removeprefix(assets.SCHEME)))])
