"""People of the demo city who log in to the portal; their passwords are generated here and stored in the home folder."""

import secrets
from datetime import UTC, datetime
from pathlib import Path

from jobs.access.roles import role_label
from jobs.contracts.data_file import read_data
from jobs.contracts.layout import ContractPart
from jobs.embedded.home import write_private
from jobs.lake.lake import Lake
from jobs.pipeline.ticket_store import open_tickets
from jobs.serving.accounts import Accounts, Person

FILE = Path(__file__).parent / "demo_people.yaml"


class DemoPerson(ContractPart):
    """An account of the demo."""

    name: str
    role: str
    department: str
    person: str


def demo_people(lake: Lake, home: Path) -> list[str]:
    """Lines with account, password, role and department; existing accounts keep their passwords."""
    file = home / "demo-accounts.txt"
    people = [Person(**person.model_dump()) for person in read_data(FILE, tuple[DemoPerson, ...])]
    passwords = dict(line.split()[:2] for line in file.read_text("utf-8").splitlines()) if file.exists() else {}
    with open_tickets(lake) as tickets:
        accounts = Accounts(tickets.database)
        existing = {account.name for account in accounts.list()}
        for person in people:
            if person.name not in existing:
                passwords[person.name] = secrets.token_urlsafe(9)
                accounts.add(person, datetime.now(UTC), passwords[person.name])
    lines = [
        f"{person.name} {passwords[person.name]} {role_label(person.role)} {person.department}"
        for person in people
        if person.name in passwords
    ]
    write_private(file, "".join(f"{line}\n" for line in lines))
    return lines
