"""`make soak`: nothing accepted is lost and nothing is counted twice when processes die at random, or are down for long."""

import argparse
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

from tests.soak.disturbance import DISK, DOWN
from tests.soak.run import Scenario, run


def main() -> int:
    """Run one scenario in a folder of its own; 1 where the lake has other rows than it should."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--kills", type=int, default=20, help="how many processes are killed at random")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds-between", type=float, default=10, help="on average, between two kills")
    parser.add_argument("--outage", choices=sorted((*DOWN, DISK)), help="what is down, or full, for a while instead")
    parser.add_argument("--minutes", type=float, default=10, help="how long it is down")
    parser.add_argument("--slow-s3", type=int, default=0, metavar="MS", help="delay of each request to the S3 server")
    parser.add_argument("--rate", type=float, default=20, help="readings a second of each dataset")
    parser.add_argument("--folder", type=Path, help="for data and logs, which are kept; else a temporary one")
    asked = parser.parse_args()
    kills = 0 if asked.outage else asked.kills
    scenario = Scenario(
        asked.seed, kills, asked.seconds_between, asked.outage, asked.minutes, asked.slow_s3, asked.rate
    )
    with nullcontext(asked.folder) if asked.folder else tempfile.TemporaryDirectory(prefix="lake-soak-") as folder:
        mistakes = run(scenario, Path(folder))
    for mistake in mistakes:
        print(mistake, file=sys.stderr)
    return 1 if mistakes else 0


sys.exit(main())
