"""What the tests of tickets share: people, an issue, a proof, moments."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from jobs.collaboration.policies import Checks
from jobs.collaboration.tickets import Tickets
from jobs.model.actor import Actor
from jobs.model.proof import Proof
from jobs.model.ticket import Draft, Issue, Request

ZONE = ZoneInfo("Asia/Shanghai")
REPORTER = Actor("reporter", "civil_affairs", "张三")
APPROVER = Actor("approver", "civil_affairs", "李四")
STRANGER = Actor("approver", "liaocheng_gas", "赵六")
ASKER = Actor("approver", "market_regulation", "钱七")
OFFICER = Actor("quality_officer", "bureau", "王五")
LEADER = Actor("leader", "bureau", "孙八")
PEOPLE = (REPORTER, APPROVER, STRANGER, ASKER, OFFICER, LEADER, Actor("auditor", "bureau", "周九"))
ISSUE = Issue(
    dataset="divisions",
    provider="civil_affairs",
    rule="name_required",
    rule_version="r1",
    field="name",
    error_class="missing",
    severity="critical",
    dimension="完整性",
    message="「名称」不能为空",
    remedy="请补填「名称」后重新报送",
    basis="数据契约 divisions 1.0.0",
    delivery="divisions-1",
    failed_rows=10,
    checked_rows=100,
)
CORRECTION = Request(
    kind="correction",
    dataset="divisions",
    provider="civil_affairs",
    requester="market_regulation",
    field="name",
    record="371502",
    message="名称与最新区划不符",
    evidence="民政部公告",
)
ENTRY = Draft(
    kind="catalogue_change",
    subject="divisions",
    provider="civil_affairs",
    message="行政区划代码目录",
    content='{"share": "conditional"}',
)
WHOLE = Proof(delivery="divisions-2", rule_version="r1", checked=10, mended=10, remaining=0, absent=0, newly_broken=0)


def owners() -> dict[str, str]:
    """Whose data each dataset is, as contracts would say."""
    return {
        "divisions": "civil_affairs",
        "gas_regulator_readings": "liaocheng_gas",
        "hotline_orders": "hotline_12345",
        "enterprise_registration": "market_regulation",
    }


NO_CHECKS: Checks = dict.fromkeys(("entry_complete", "register_item_complete"), lambda subject, content: [])
"""Documents of these tests are complete as they are."""

STATED = {
    "reason": "见说明",
    "evidence": "附件 1",
    "approver": "分管负责人",
    "decision": "经核实",
    "provider": "hotline_12345",
    "ground": "rule_false_positive",
    "until": "2026-03-31",
    "days": 2,
    "reply": "已更正",
    "confirmation": "确认",
    "content": '{"share": "unconditional"}',
    "document_number": "聊数发〔2026〕1号",
}


def at(day: str, hour: int = 9) -> datetime:
    """A moment of a day in Shanghai, in UTC."""
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), ZONE).astimezone(UTC) + timedelta(hours=hour)


def moved(tickets: Tickets, ticket: str, way: str, when: datetime, **facts: object) -> str:
    """The state after steps, each written as event:role with `reporter`, `approver`, `officer`, `asker` or `leader`."""
    people = {"reporter": REPORTER, "approver": APPROVER, "officer": OFFICER, "asker": ASKER, "leader": LEADER}
    state = tickets.ticket(ticket, OFFICER, when).state
    for word in way.split():
        event, _, who = word.partition(":")
        actor, version = people[who], tickets.ticket(ticket, OFFICER, when).version
        if who in ("reporter", "approver"):
            actor = replace(actor, department=tickets.ticket(ticket, OFFICER, when).provider)
        stated = {**STATED, **facts}
        steps = [s for s in tickets.state_machine().steps if s.event == event and s.ground in ("", stated["ground"])]
        needed = {name: stated[name] for name in steps[0].requires}
        state = tickets.move(ticket, event, actor, version, when, facts=needed).state
    return state
