"""POST /v1/telemetry/{dataset}: one reading or a list of them, as JSON; answered when the broker has them durably."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from jobs.contracts import Contract, Registry
from jobs.contracts.stream import API
from jobs.contracts.telemetry import telemetry
from jobs.lake.broker import topic
from jobs.serving.cache import CachedValue
from jobs.serving.collector.keys import Key, Keys
from jobs.serving.collector.queue import BrokerQueue
from jobs.serving.collector.readings import MOST_BODY, Rejected, readings, unpacked
from jobs.settings import Settings

logger = logging.getLogger(__name__)
MOST_NUMBER = 100
RETRY_S = "2"
KEYS_S = 5.0
"""A revoked key is refused after at most so many seconds."""


class Counters:
    """What the collector did since it started."""

    def __init__(self) -> None:
        self.accepted: dict[str, int] = {}
        self.refused: dict[int, int] = {}

    def text(self, waiting: int) -> str:
        """The counters in the text format of Prometheus."""
        lines = ["# TYPE lake_collector_readings_total counter"]
        lines += [f'lake_collector_readings_total{{dataset="{n}"}} {c}' for n, c in sorted(self.accepted.items())]
        lines += ["# TYPE lake_collector_refused_total counter"]
        lines += [f'lake_collector_refused_total{{status="{s}"}} {c}' for s, c in sorted(self.refused.items())]
        lines += ["# TYPE lake_collector_waiting gauge", f"lake_collector_waiting {waiting}"]
        return "\n".join(lines) + "\n"


class Collector:
    """Answers requests; `registry` gives the contracts as they are now."""

    def __init__(self, settings: Settings, registry: Callable[[], Registry], keys: Keys, queue: BrokerQueue) -> None:
        self._settings, self._registry, self._keys, self.queue = settings, registry, keys, queue
        self.streams: Callable[[], str] = lambda: ""
        """Metrics of the streams, in the text format of Prometheus."""
        self._owners: dict[str, CachedValue[Key | None]] = {}
        self.counters = Counters()

    async def post(self, request: Request) -> Response:
        """One reading or a list of them."""
        try:
            accepted = await self._accept(request)
        except Rejected as error:
            return self._refused(request, error)
        except ClientDisconnect:
            return self._refused(request, Rejected(400, "连接中断，请重发", "the client went away"))
        return JSONResponse({"accepted": accepted})

    async def _accept(self, request: Request) -> int:
        dataset = request.path_params["dataset"]
        key = self._key(request)
        contract = self._contract(dataset, key)
        number = request.headers.get("idempotency-key", "")
        if len(number) > MOST_NUMBER:
            raise Rejected(422, f"Idempotency-Key 最长 {MOST_NUMBER} 个字符", "the idempotency key is too long")
        body = unpacked(await _body(request), request.headers.get("content-encoding", "").lower())
        found = readings(body, _device_names(contract))
        await self.queue.put(topic(self._settings, dataset), found, key.provider, number)
        self.counters.accepted[dataset] = self.counters.accepted.get(dataset, 0) + len(found)
        return len(found)

    def _key(self, request: Request) -> Key:
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        key = self._owner(secret.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            raise Rejected(401, "密钥缺失、无效或已停用", "no valid key")
        return key

    def _owner(self, secret: str) -> Key | None:
        if secret not in self._owners:
            found = self._keys.owner(secret, datetime.now(UTC))
            if found is None:
                return None  # wrong secrets are not kept
            self._owners[secret] = CachedValue(lambda: self._keys.owner(secret, datetime.now(UTC)), KEYS_S)
        return self._owners[secret].get()

    def _contract(self, dataset: str, key: Key) -> Contract:
        contract = self._registry().contracts.get(dataset)
        if contract is None or contract.stream is None or API not in contract.ways_in:
            raise Rejected(404, f"数据集 {dataset} 没有约定实时接口", f"dataset {dataset} has no collector")
        if contract.provider != key.provider:
            raise Rejected(403, "该密钥不能报送这个数据集", f"key of {key.provider} for dataset of {contract.provider}")
        return contract

    def _refused(self, request: Request, error: Rejected) -> Response:
        self.counters.refused[error.status] = self.counters.refused.get(error.status, 0) + 1
        logger.info("%s: %s %s", request.url.path[:200], error.status, error.reason)
        headers = {"Retry-After": RETRY_S} if error.status in (429, 503) else {}
        if error.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return JSONResponse({"error": error.words, "detail": error.reason}, error.status, headers)

    async def metrics(self, request: Request) -> Response:
        """Counters for Prometheus."""
        streams = await run_in_threadpool(self.streams)
        return PlainTextResponse(self.counters.text(self.queue.waiting) + streams)


def app(collector: Collector) -> Starlette:
    """The collector as an ASGI application."""

    async def healthy(request: Request) -> Response:
        return PlainTextResponse("ok")

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        collector.queue.close()

    routes = [
        Route("/v1/telemetry/{dataset}", collector.post, methods=["POST"]),
        Route("/metrics", collector.metrics),
        Route("/healthz", healthy),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


async def _body(request: Request) -> bytes:
    """The body, refused as soon as it is too long, whatever its head says."""
    parts, length = [], 0
    async for part in request.stream():
        length += len(part)
        if length > MOST_BODY:
            raise Rejected(413, f"请求体超过 {MOST_BODY >> 20} MiB，请分批发送", f"more than {MOST_BODY} bytes")
        parts.append(part)
    return b"".join(parts)


def _device_names(contract: Contract) -> tuple[str, ...]:
    """Names under which a message may name its device."""
    return telemetry(contract).field(contract.stream.device).headers() if contract.stream else ()
