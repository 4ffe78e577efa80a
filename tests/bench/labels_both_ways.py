"""Labelled feeds as files, and parts of them as streams: equal flags, and when the alarms of the lake open."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from jobs.lake.lake import Lake
from tests.bench import label_streams, labels
from tests.bench.common import Measures, stopwatch
from tests.bench.label_streams import Flags, Opened, Part, Sending
from tests.bench.labels import ALARMED, POLICY, SETS, TOLERANCE, FeedFlags
from tests.bench.scoring import AlarmScore, Span, alarm_score, alarms

KINDS = ("band", "depart", "plateau")
PARTS: Mapping[str, Part] = {
    "w3": Part(
        "2016-09-15 06:00",
        "2016-09-26 14:00",
        sealed=(("2016-09-22 07:00", "2016-09-22 12:00"), ("2016-09-25 00:00", "2016-09-25 07:00")),
    ),
    "g4": Part(
        "2020-09-10 00:00",
        "2020-10-10 00:00",
        sealed=(("2020-09-17 20:00", "2020-09-18 00:00"), ("2020-10-08 10:00", "2020-10-09 00:00")),
    ),
    "l_town": Part(
        "2018-02-13 00:00",
        "2018-03-26 00:00",
        sealed=(("2018-03-15 11:00", "2018-03-15 16:00"), ("2018-03-16 01:00", "2018-03-16 05:00")),
    ),
}
"""A week (of the network four) before the hours that are sealed, for the rules with the longest baselines; of each feed, events of more than one form."""
LIVE: Mapping[str, Part] = {
    "w3": Part(
        "2016-09-21 19:00",
        "2016-09-25 01:22",
        live=(("2016-09-22 08:00", "2016-09-22 08:12"), ("2016-09-25 00:49", "2016-09-25 01:22")),
    ),
    "g4": Part(
        "2020-09-16 00:00",
        "2020-10-07 19:15",
        live=(
            ("2020-09-17 20:45", "2020-09-17 22:30"),
            ("2020-09-18 21:15", "2020-09-19 02:15"),
            ("2020-09-25 21:15", "2020-09-26 00:00"),
            ("2020-10-07 16:15", "2020-10-07 19:15"),
        ),
    ),
    "l_town": Part(
        "2018-02-13 00:00",
        "2018-03-16 04:00",
        live=(("2018-03-15 11:30", "2018-03-15 13:30"), ("2018-03-16 01:30", "2018-03-16 04:00")),
    ),
}
STREAM: Mapping[str, Mapping[str, Any]] = {
    "w3": {"event_time": "read_at", "device": "station", "seal_after_min": 180},
    "g4": {"event_time": "read_at", "device": "point_name", "seal_after_min": 360},
    "l_town": {"event_time": "read_at", "device": "station", "seal_after_min": 180},
}
CONTEXT_MIN = {"w3": (10_200, 1_560), "g4": (10_500, 3_000), "l_town": (40_500, 40_500)}
"""For all rules, and for those with an alarm alone: what they look back, and an hour."""
WARM: Mapping[str, timedelta] = {"w3": timedelta(days=1), "g4": timedelta(days=1), "l_town": timedelta(days=28)}
"""Time after a part's begin in which rules have no full baseline; not scored."""


def measure(lake: Lake, folder: Path, measures: Measures) -> None:
    """The feeds as files; then, of those with labels, a part as a stream."""
    for feed in labels.measure(lake, folder, measures):
        if feed.feed.name in PARTS:
            _in_batches(lake, folder / "batches", measures, feed)
            _live(lake, folder / "live", measures, feed)


def _in_batches(lake: Lake, folder: Path, measures: Measures, judged: FeedFlags) -> None:
    """All rules, in large batches: flags of sealed hours compared with the file's, and alarms with those that its flags would open.

    A lasting spike is one once the value is back: alarms are compared up to as many readings before the end as it may last, since
    the file knows what came after the last reading that was sent.
    """
    name, part = judged.feed.name, PARTS[judged.feed.name]
    sent = _sent(lake, folder, judged, part)
    at, by_file = _by_time(judged, sent)
    by_stream, times = label_streams.flags(lake, sent.contract)
    rules = label_streams.differing(by_stream, by_file, times)
    count = sum(len(set(times) & moments) for moments in by_file.values())
    said = ", ".join(f"{rule} {number}" for rule, number in rules.most_common()) or "none"
    spans = ", ".join(f"{begin} to {end}" for begin, end in part.sealed)
    note = f"{len(times):,} readings of sealed hours ({spans}), {count} flags in the file; rules that differ: {said}"
    measures.say(f"{name}_stream_flags_differ", rules.total(), "0", note)
    begin, end = sent.moment(part.begin) + WARM[name], sent.times[-1 - judged.feed.plateau]
    scored = judged.rows.assign(at=at)[(at >= begin) & (at < end)]
    opened, expected = label_streams.opened(lake, sent.contract), _expected(judged, sent, at, by_file)
    by_way = [{(r, a) for r, a, _ in alarms if begin <= a < end} for alarms in (opened, expected)]
    span = f"{begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"
    note = f"{len(by_way[0])} alarms by the stream, {len(by_way[1])} by the file's flags; {span}"
    measures.say(f"{name}_stream_alarms_differ", len(by_way[0] ^ by_way[1]), "0", note)
    where = f"in batches of {part.batch:,}, {part.begin} to {part.end}"
    for kinds in ALARMED:
        _say(measures, f"{name}_{kinds}_stream_alarm_recall", _score(scored, kinds, opened), where)
        _say(measures, f"{name}_{kinds}_file_alarm_recall", _score(scored, kinds, expected), where)


def _live(lake: Lake, folder: Path, measures: Measures, judged: FeedFlags) -> None:
    """Some events, one reading a batch, with only the rules that have an alarm, compared with the alarms that the file's flags would open."""
    name, part = judged.feed.name, LIVE[judged.feed.name]
    sent = _sent(lake, folder, judged, part)
    at, by_file = _by_time(judged, sent)
    windows = [(sent.moment(begin), sent.moment(end)) for begin, end in part.live]
    rows = judged.rows.assign(at=at)
    scored = [rows[(at >= begin) & (at < end)] for begin, end in windows]
    opened, expected = label_streams.opened(lake, sent.contract), _expected(judged, sent, at, by_file)
    where = f"one by one around {len(windows)} events, {part.live[0][0]} to {part.live[-1][1]}"
    for kinds in ALARMED:
        for way, alarms_of_way in (("live", opened), ("live_file", expected)):
            together = _sum([_score(window, kinds, alarms_of_way) for window in scored])
            _say(measures, f"{name}_{kinds}_{way}_alarm_recall", together, where)


def _sum(scores: Sequence[AlarmScore]) -> AlarmScore:
    """The scores of windows that lie apart as one."""
    waits = [wait for score in scores for wait in score.waits]
    counts = (sum(score.alarms for score in scores), sum(score.false_alarms for score in scores))
    return AlarmScore(sum(score.events for score in scores), waits, *counts)


def _sent(lake: Lake, folder: Path, judged: FeedFlags, part: Part) -> Sending:
    """The part, sent and, where it says so, sealed."""
    name, feed = f"{judged.feed.name}_{folder.name}", judged.feed
    context = CONTEXT_MIN[feed.name][bool(part.live)]
    text = (labels.CONTRACTS / "sources" / labels.home(feed)).read_text("utf-8")
    contract = label_streams.stream_of(yaml.safe_load(text), name, {**STREAM[feed.name], "context_min": context})
    suite = label_streams.alarming(judged.suite, name, KINDS, alone=bool(part.live))
    sent = label_streams.sending(label_streams.registry_of(folder, contract, suite), name, judged.file, part)
    with stopwatch(f"{name}: {len(sent.times):,} rows from {part.begin} to {part.end}"):
        label_streams.send(lake, sent, part)
    return sent


def _by_time(judged: FeedFlags, sent: Sending) -> tuple[pd.Series, Flags]:
    """Times of the feed's rows in UTC; and by rule, the times of those that the file's evidence names."""
    at = judged.rows["at"].dt.tz_localize(sent.contract.layout.timezone).dt.tz_convert(UTC)
    by_row = dict(zip(judged.rows["row"], at, strict=True))
    times = {
        rule: {by_row[row].to_pydatetime() for row in rows if row in by_row} for rule, rows in judged.found.items()
    }
    return at, times


def _expected(judged: FeedFlags, sent: Sending, at: pd.Series, by_file: Flags) -> list[Opened]:
    """The alarms that the file's flags would open from the part's begin on, rule by rule, as readings that come one by one."""
    found = []
    part = judged.rows.assign(at=at)[(at >= sent.times[0]) & (at <= sent.times[-1])]
    for rule in (f"{kind}_{name}" for kind in KINDS for name in judged.feed.fields):
        known = part[part[rule.partition("_")[2]].notna()]
        times = [moment.to_pydatetime() for moment in known["at"]]
        flagged = known["at"].isin(by_file.get(rule, set())).to_numpy(bool)
        spans = alarms(flagged, times, POLICY)
        found += [(rule, times[first], times[last - 1] if last < len(times) else None) for first, last in spans]
    return found


def _score(rows: pd.DataFrame, kinds: str, opened: Sequence[Opened]) -> AlarmScore:
    """The score of the alarms of some kinds of rules among these rows."""
    times = [moment.to_pydatetime() for moment in rows["at"]]
    spans: list[Span] = []
    for rule, begin, end in opened:
        first, last = bisect_left(times, begin), len(times) if end is None else bisect_right(times, end)
        if rule.split("_")[0] in SETS[kinds] and first < last:
            spans.append((first, last))
    return alarm_score(rows["label"].to_numpy(bool), spans, times, TOLERANCE)


def _say(measures: Measures, name: str, scored: AlarmScore, where: str) -> None:
    measures.say(name, scored.recall(), "–", f"{scored.note()}; {where}")
