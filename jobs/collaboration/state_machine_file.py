"""state_machine.yaml → StateMachine, checked: every name is known, every state can be reached and left, nothing closes without proof."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jobs.access.roles import role_labels
from jobs.collaboration.state_machine import CLOSED, PREVIOUS, SAME, StateMachine, Transition
from jobs.contracts.policy_file import mistake, read_policy
from jobs.contracts.yaml_source import Document
from jobs.contracts.yaml_source import PathKey as Place

FILE = Path(__file__).parent / "state_machine.yaml"
REMEDY = "请参照 jobs/collaboration/state_machine.yaml 开头的说明"


@lru_cache
def state_machine(file: Path = FILE) -> StateMachine:
    """The state machine in the file; PolicyError names file, line and remedy."""
    machine, document = read_policy(file, StateMachine, REMEDY)
    checked = _Checked(machine, document)
    checked.names()
    checked.proofs()
    checked.extensions()
    checked.ambiguities()
    checked.reachability()
    return machine


@dataclass(frozen=True)
class _Checked:
    state_machine: StateMachine
    document: Document

    def names(self) -> None:
        """Every state, role, fact, kind, event and ground in use is declared."""
        m = self.state_machine
        for index, step in enumerate(m.steps):
            place = ("steps", index)
            self._known((*place, "event"), [step.event], m.events, "事件")
            self._known((*place, "from"), step.sources, m.states, "状态")
            self._known((*place, "to"), [step.to], [*m.states, SAME, PREVIOUS], "状态")
            self._known((*place, "kinds"), step.kinds, m.kinds, "工单种类")
            self._known((*place, "roles"), step.roles, role_labels(), "角色")
            self._known((*place, "requires"), step.requires, m.facts, "必填事项")
            self._known((*place, "check"), [step.check] if step.check else [], m.checks, "核对")
            self._known((*place, "ground"), [step.ground] if step.ground else [], m.grounds, "申诉类型")
        self._known(("machine_found",), m.machine_found, m.kinds, "工单种类")
        self._known(("documents",), m.documents, m.kinds, "工单种类")
        self._known(("start",), m.start.values(), m.states, "状态")
        self._known(("automatic",), m.automatic.values(), m.events, "事件")
        self._known(("notices",), m.notices, m.events, "事件")
        for name, state in m.states.items():
            self._known(("states", name, "by_kind"), state.by_kind, m.kinds, "工单种类")
        for kind in m.kinds.keys() - m.start.keys():
            raise self._error(("start",), f"没有写明 {kind} 从哪个状态开始", "请补充")

    def proofs(self) -> None:
        """Closing requires a proof from the lake, or is declared for tickets that no machine found."""
        for index, step in enumerate(self.state_machine.steps):
            place, proven = ("steps", index), "proof" in step.requires
            if proven and not step.internal:
                raise self._error(place, f"「{step.event}」须有复核证明，却允许人工办理", "请加 internal: true")
            if step.to != CLOSED or proven:
                continue
            if not step.not_machine_found:
                raise self._error(place, f"「{step.event}」不经复核证明就进入 closed", "请在 requires 中加 proof")
            machine_found = [kind for kind in self.state_machine.machine_found if step.is_of(kind)]
            if machine_found:
                raise self._error(place, f"系统发现的 {machine_found[0]} 不能不经证明就关闭", "请在 kinds 中去掉它")

    def extensions(self) -> None:
        """Steps that extend a clock require the number of days."""
        for index, step in enumerate(self.state_machine.steps):
            if step.clock in ("extend", "ask_extension") and "days" not in step.requires:
                raise self._error(
                    ("steps", index), f"「{step.event}」涉及延期却不要求写明延长数量", "请在 requires 中加 days"
                )

    def ambiguities(self) -> None:
        """An event leads from a state to one target only."""
        first_index: dict[tuple[str, str, str, str], int] = {}
        for index, step in enumerate(self.state_machine.steps):
            for key in self._keys(step):
                if key in first_index:
                    raise self._error(("steps", index), f"与第 {first_index[key] + 1} 步相同（{key}）", "请只保留一步")
                first_index[key] = index

    def _keys(self, step: Transition) -> Iterator[tuple[str, str, str, str]]:
        for kind in step.kinds or self.state_machine.kinds:
            for source in step.sources:
                for ground in [step.ground] if step.ground else ["", *self.state_machine.grounds]:
                    yield step.event, source, kind, ground

    def reachability(self) -> None:
        """Each state is reachable for some kind, and a final state is reachable from each."""
        reached = {kind: self._reached(kind, self.state_machine.start[kind]) for kind in self.state_machine.kinds}
        ends = {name for name, state in self.state_machine.states.items() if state.end}
        for name in self.state_machine.states:
            if not any(name in states for states in reached.values()):
                raise self._error(("states", name), f"没有步骤能到达状态 {name}", "请补充进入它的步骤，或删去它")
        for kind, states in reached.items():
            for name in states:
                if not self._reached(kind, name) & ends:
                    raise self._error(("states", name), f"{kind} 进入 {name} 后无法办结", "请补充离开它的步骤")

    def _reached(self, kind: str, start: str) -> set[str]:
        reached, waiting = {start}, [start]
        while waiting:
            state = waiting.pop()
            for step in self.state_machine.steps:
                if step.is_of(kind) and state in step.sources:
                    new = set(self._targets(kind, step)) - reached
                    reached |= new
                    waiting.extend(new)
        return reached

    def _targets(self, kind: str, step: Transition) -> Iterator[str]:
        """Targets of a step; for `previous`, the states from which the step's sources are entered."""
        if step.to == PREVIOUS:
            for other in self.state_machine.steps:
                if other.is_of(kind) and other.to in step.sources:
                    yield from other.sources
        elif step.to != SAME:
            yield step.to

    def _known(self, place: tuple[Place, ...], used: Iterable[str], known: Iterable[str], noun: str) -> None:
        allowed = list(known)
        for name in used:
            if name not in allowed:
                raise self._error(place, f"不认识的{noun} {name}", f"请改为：{'、'.join(allowed)}")

    def _error(self, place: tuple[Place, ...], message: str, remedy: str) -> Exception:
        return mistake(self.document, place, message, remedy)
