"""Documentation of a source's DAG: what the dataset is for, who owns it, and what to do when it fails."""

from jobs.contracts import Registry

NOTE = """{purpose}

**Owner:** {department} {owner}. **If it fails:** a failed task means that a service is unavailable or the code is wrong, never
that the data is bad: bad data gets a verdict. Clear the task when the service is back; the same delivery may run any number
of times."""
BROKEN = """**The contract is invalid; deliveries wait, their files retained, until it is corrected:**

    {mistake}

**If it fails:** correct the contract, then clear the task; nothing is lost meanwhile."""


def source_note(catalogue: Registry, dataset: str) -> str:
    """The DAG's `doc_md`; of an invalid contract, why it cannot run."""
    if dataset in catalogue.broken:
        return BROKEN.format(mistake=catalogue.broken[dataset].mistake)
    contract = catalogue.contract(dataset)
    return NOTE.format(purpose=contract.purpose, department=contract.department, owner=contract.owner)
