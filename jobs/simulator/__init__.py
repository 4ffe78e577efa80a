"""A city that sends feeds: seeded, with a ledger of the faults that it planted.

The same seed, day and scale give the same bytes. Names, numbers and addresses are made up; no person is real.
"""

from jobs.simulator.city import SentFile, send
from jobs.simulator.faults import KINDS, Fault
from jobs.simulator.register_words import canaries
from jobs.simulator.setting import START

__all__ = ["KINDS", "START", "Fault", "SentFile", "canaries", "send"]
