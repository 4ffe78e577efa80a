"""Processes killed at random, or one service down for minutes."""

import random
import sys
import time
from collections import Counter
from datetime import datetime

from tests.soak.services import WORKER, Services

OFTEN = {"stream": 2, "collector": 3, "spark": 3, WORKER: 3, "kafka": 3, "s3": 3}
"""How often each is killed. Another stream service takes over after a minute, so that one dies less often."""
DOWN = {"broker": "kafka", "engine": "spark", "s3": "s3"}
DISK = "disk"
"""The disk of the S3 server, which is full for a while instead of a service being down."""
DOWN_S = (0.2, 4.0)
"""A killed service is started again after so many seconds, at least and at most."""


def kill_at_random(services: Services, seed: int, kills: int, seconds_between: float) -> Counter[str]:
    """Kills by kind; each is of a process that ran."""
    dice, done = random.Random(seed), Counter[str]()
    while done.total() < kills:
        time.sleep(seconds_between * dice.uniform(0.5, 1.5))
        name = dice.choices(list(OFTEN), list(OFTEN.values()))[0]
        if services.kill(name):
            done[name] += 1
            say(f"kill {done.total()}: {name}")
        time.sleep(dice.uniform(*DOWN_S))
        services.start_again(name)
    return done


def take_down(services: Services, service: str, minutes: float) -> Counter[str]:
    """Kill a service, and start it again after minutes; or have the disk of the store full for so long."""
    if service == DISK:
        services.fill()
        say(f"the disk is full for {minutes} min")
        time.sleep(minutes * 60)
        services.free()
        return Counter({service: 1})
    services.kill(DOWN[service])
    say(f"{service} is down for {minutes} min")
    time.sleep(minutes * 60)
    services.start_again(DOWN[service])
    return Counter({service: 1})


def say(words: str) -> None:
    """Progress, on standard error."""
    print(f"{datetime.now():%T} {words}", file=sys.stderr, flush=True)
