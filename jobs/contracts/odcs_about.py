"""What an ODCS document says about its dataset as a whole: purpose, department, owner, service levels."""

from open_data_contract_standard.model import OpenDataContractStandard


def purpose(odcs: OpenDataContractStandard) -> str:
    """What the dataset is for; empty where it is not said."""
    return (odcs.description.purpose or "") if odcs.description else ""


def department(odcs: OpenDataContractStandard) -> str:
    """The department or company that answers for the data; empty where it is not said."""
    team = odcs.team if not isinstance(odcs.team, list) else None
    return team.name if team and team.name else ""


def sla(odcs: OpenDataContractStandard) -> dict[str, str]:
    """Service levels by name, each as a number with its unit."""
    return {
        str(p.property): f"{p.value}{p.unit or ''}"
        for p in odcs.slaProperties or []
        if p.property and p.value is not None
    }


def owner(odcs: OpenDataContractStandard) -> str:
    """The steward's name; empty where there is none."""
    team = odcs.team
    members = team if isinstance(team, list) else (team.members or [] if team else [])
    for member in members:
        return str(member.name or member.username or "")
    return ""
