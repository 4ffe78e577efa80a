"""A sender as companies have them: it keeps a request until it is acknowledged, and sends it again under the same number."""

import random
import threading
import time
from collections import Counter

import httpx

from tests.soak.plan import Plan, Request

TIMEOUT_S = 15
LONGEST_PAUSE_S = 4.0
UNHEARD, HASTE_S = 0.05, 0.001
"""Share of requests for whose first answer the sender waits too short a time: the readings are stored, and come again."""


class Sender(threading.Thread):
    """Sends the requests of a plan in order, one every `pause_s` seconds; what is behind goes out at once.

    Where there is no pause the sender is also patient.
    """

    def __init__(self, url: str, secret: str, plan: Plan, pause_s: float) -> None:
        super().__init__(daemon=True)
        self.dataset = url.rpartition("/")[2]
        self._url, self._plan, self._pause_s = url, plan, pause_s
        self._dice = random.Random(len(plan.requests))
        self._headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        self.answers: Counter[str] = Counter()
        """Answers by status; `none` where the connection failed."""
        self.acknowledged = 0

    def run(self) -> None:
        """Send everything."""
        began = time.monotonic()
        with httpx.Client(trust_env=False, timeout=TIMEOUT_S, headers=self._headers) as client:
            for place, request in enumerate(self._plan.requests):
                time.sleep(max(0.0, began + place * self._pause_s - time.monotonic()))
                self._send(client, request)
                self.acknowledged += len(request.readings)

    def _send(self, client: httpx.Client, request: Request) -> None:
        pause = 0.2
        patience_s = HASTE_S if self._pause_s and self._dice.random() < UNHEARD else TIMEOUT_S
        while (status := self._status(client, request, patience_s)) != "200":
            if status not in ("none", "429", "500", "503"):
                raise RuntimeError(f"request {request.number} is refused: {status}")
            time.sleep(pause)
            patience_s = TIMEOUT_S
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _status(self, client: httpx.Client, request: Request, patience_s: float) -> str:
        timeout, number = httpx.Timeout(TIMEOUT_S, read=patience_s), {"Idempotency-Key": request.number}
        try:
            answer = client.post(self._url, content=request.body(), headers=number, timeout=timeout)
            status = str(answer.status_code)
        except httpx.HTTPError:
            status = "none"
        self.answers[status] += 1
        return status
