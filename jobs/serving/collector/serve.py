"""The collector as a server in the foreground."""

import uvicorn

from jobs import contracts
from jobs.contracts import Registry
from jobs.lake.broker import ensure_topics, topic
from jobs.lake.database import Database
from jobs.lake.lake import Lake
from jobs.pipeline.stream_figures import figures, prometheus
from jobs.serving.cache import CachedValue
from jobs.serving.collector.app import Collector, app
from jobs.serving.collector.keys import Keys
from jobs.serving.collector.queue import BrokerQueue
from jobs.serving.connections import BoundedConnection
from jobs.settings import Settings

CONTRACTS_S = 30.0
MOST_CONNECTIONS = 500
GRACE_S = 10


def serve(settings: Settings, host: str, port: int) -> None:
    """Answer requests until the process receives a stop signal."""

    def read() -> Registry:
        return contracts.load_usable(settings.schemas, settings.expectations)

    database = Database(settings.state_url())
    database.migrate()
    ensure_topics(settings, [topic(settings, contract.id) for contract in read().streams()])
    collector = Collector(settings, CachedValue(read, CONTRACTS_S).get, Keys(database), BrokerQueue(settings))
    lake = Lake(settings)
    collector.streams = lambda: prometheus(figures(lake))
    config = uvicorn.Config(
        app(collector),
        host=host,
        port=port,
        http=BoundedConnection,
        ws="none",
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    uvicorn.Server(config).run()
    lake.close()
    database.close()
