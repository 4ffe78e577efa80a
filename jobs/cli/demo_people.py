"""People of the demo city who log in to the portal; their passwords are generated here and stored in the home folder."""

import secrets
from datetime import UTC, datetime
from pathlib import Path

from jobs.access.roles import role_label
from jobs.embedded.home import write_private
from jobs.lake.lake import Lake
from jobs.pipeline.ticket_store import open_tickets
from jobs.serving.accounts import Accounts, Person

PEOPLE = (
    Person("zhiliang", "quality_officer", "bureau", "质量专员"),
    Person("lingdao", "leader", "bureau", "分管领导"),
    Person("shenji", "auditor", "bureau", "安全审计员"),
    Person("shenpi", "reporter", "administrative_approval", "审批局填报员"),
    Person("shenpi2", "approver", "administrative_approval", "审批局审核员"),
    Person("shuiwu", "reporter", "liaocheng_water", "供水单位填报员"),
    Person("shichang", "reporter", "market_regulation", "市场监管局填报员"),
)


def demo_people(lake: Lake, home: Path) -> list[str]:
    """Lines with account, password, role and department; existing accounts keep their passwords."""
    file = home / "demo-accounts.txt"
    passwords = dict(line.split()[:2] for line in file.read_text("utf-8").splitlines()) if file.exists() else {}
    with open_tickets(lake) as tickets:
        accounts = Accounts(tickets.database)
        existing = {account.name for account in accounts.list()}
        for person in PEOPLE:
            if person.name not in existing:
                passwords[person.name] = secrets.token_urlsafe(9)
                accounts.add(person, datetime.now(UTC), passwords[person.name])
    lines = [
        f"{person.name} {passwords[person.name]} {role_label(person.role)} {person.department}"
        for person in PEOPLE
        if person.name in passwords
    ]
    write_private(file, "".join(f"{line}\n" for line in lines))
    return lines
