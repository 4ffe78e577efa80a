"""What documents lack before a step: the checks that the state machine names, over the contracts as they are now."""

from collections.abc import Callable, Sequence
from typing import Final

from jobs.catalogue import attributes, registers
from jobs.catalogue.entry import entries
from jobs.collaboration.policies import Checks
from jobs.contracts import Registry

ENTRY_COMPLETE: Final = "entry_complete"
ITEM_COMPLETE: Final = "register_item_complete"


def document_checks(registry: Callable[[], Registry]) -> Checks:
    """The checks by name. The contracts are read at each check: a field that became sensitive meanwhile counts."""

    def entry_complete(dataset: str, content: str) -> Sequence[str]:
        entry = next((one for one in entries(registry()) if one.id == dataset), None)
        if entry is None:
            return [f"数据集 {dataset} 没有可用的数据契约，无法核对"]
        return attributes.shortcomings(attributes.read(content), entry)

    def item_complete(_: str, content: str) -> Sequence[str]:
        return registers.shortcomings(registers.read(content), registry())

    return {ENTRY_COMPLETE: entry_complete, ITEM_COMPLETE: item_complete}
