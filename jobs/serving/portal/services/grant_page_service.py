"""Grants for an actor: what the own department gave and received, and for the bureau all; a form to give one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from jobs.access import rights
from jobs.access.grants import Grant, GrantState, InvalidGrant, Scope, end_of_day, mistakes
from jobs.access.personal_numbers import masked_text
from jobs.access.policy import Right
from jobs.contracts import Contract
from jobs.errors import Unknown
from jobs.model.actor import Actor
from jobs.serving.grant_service import GrantService
from jobs.serving.portal.context import Portal

TEXTS = ("dataset", "department", "account", "view", "purpose", "basis")
"""Fields of the form that are texts; runs of blanks in them count as one."""


@dataclass(frozen=True)
class GrantQuery:
    """What the list is narrowed to. `side` is given or received, as the actor's department sees it; `department` is either side."""

    dataset: str = ""
    department: str = ""
    state: str = ""
    side: str = ""


@dataclass(frozen=True)
class GrantView:
    """A grant, its state now, whether it is the actor's department's own or for it, and whether the actor may end it.

    `contract` is None for data that the lake no longer has.
    """

    grant: Grant
    contract: Contract | None
    state: GrantState
    is_party: bool
    may_end: bool

    def owner(self) -> str:
        """The department that owns the data; empty where the lake no longer has it."""
        return self.contract.provider if self.contract else ""


@dataclass(frozen=True)
class GrantPage:
    """A page of grants, newest first."""

    rows: tuple[GrantView, ...]
    total: int
    page: int
    size: int


@dataclass(frozen=True)
class GrantPageService:
    """What the actor may see and do of grants. Owner and receiver see a grant, and the bureau's roles all of them."""

    portal: Portal
    actor: Actor

    def page(self, query: GrantQuery, number: int, size: int) -> GrantPage:
        """A page of the grants that fit."""
        found = [one for one in self._known(query.dataset) if self._fits(one, query)]
        first = (number - 1) * size
        return GrantPage(tuple(found[first : first + size]), len(found), number, size)

    def valid(self, dataset: str) -> int:
        """How many grants of a dataset count now, of those that the actor sees."""
        return self.page(GrantQuery(dataset=dataset, state=GrantState.VALID), 1, 1).total

    def own_contracts(self) -> tuple[Contract, ...]:
        """Datasets and products that the actor may open to others; none without the right."""
        if not rights.may(self.actor, Right.GRANT):
            return ()
        return tuple(one for one in self._contracts.values() if one.provider == self.actor.department)

    def departments(self) -> list[str]:
        """Ids of the departments to which the actor may open data."""
        return self._service.departments(self.actor.department)

    def give(self, filled: Mapping[str, str]) -> Grant:
        """The new grant as filled in; InvalidGrant names all mistakes, NotAllowed is for others than the owner."""
        rights.check_right(self.actor, Right.GRANT, "授权他人使用数据")
        scope, wrong = self._scope(filled)
        if scope.dataset in self._contracts:
            wrong |= self._service.mistakes(self.actor, scope)
        else:
            wrong |= {"dataset": "请选择数据集", **mistakes(scope, self.portal.now())}
        if wrong:
            raise InvalidGrant(wrong)
        return self._service.give(self.actor, scope)

    def end(self, id_: int) -> Grant:
        """The grant, ended now; Unknown where the actor may not see it."""
        if all(one.grant.id != id_ for one in self._known()):
            raise Unknown(f"没有编号为 {id_} 的授权，或与您的部门无关")
        return self._service.end(self.actor, id_)

    def _scope(self, filled: Mapping[str, str]) -> tuple[Scope, dict[str, str]]:
        """The scope as filled in, with what is wrong with its last day."""
        dataset, department, account, view, purpose, basis = (" ".join(filled.get(name, "").split()) for name in TEXTS)
        scope = Scope(dataset, department, view, account, purpose, basis)
        try:
            return replace(scope, expires_at=end_of_day(filled.get("until", "").strip(), self.portal.zone)), {}
        except InvalidGrant as error:
            return scope, dict(error.mistakes)

    def _known(self, dataset: str = "") -> list[GrantView]:
        """The grants that the actor may see, newest first; only the two departments read personal numbers in texts."""
        views = map(self._view, self.portal.grants.all(dataset))
        return [one for one in views if one.is_party or rights.may_know(self.actor, one.owner())]

    def _view(self, grant: Grant) -> GrantView:
        contract, state, mine = (
            self._contracts.get(grant.scope.dataset),
            grant.state(self.portal.now()),
            self.actor.department,
        )
        is_own = contract is not None and contract.provider == mine
        is_party = is_own or grant.scope.department == mine
        may_end = is_own and state is GrantState.VALID and rights.may(self.actor, Right.GRANT)
        return GrantView(grant if is_party else _masked(grant), contract, state, is_party, may_end)

    def _fits(self, one: GrantView, query: GrantQuery) -> bool:
        scope, mine = one.grant.scope, self.actor.department
        sides = {"": mine, "given": one.owner(), "received": scope.department}
        wanted = (
            query.department in ("", scope.department, one.owner()),
            query.state in ("", one.state),
            sides.get(query.side) == mine,
        )
        return all(wanted)

    @cached_property
    def _contracts(self) -> Mapping[str, Contract]:
        registry = self.portal.registry()
        return {one.id: one for one in (*registry.sources(), *registry.products())}

    @property
    def _service(self) -> GrantService:
        return GrantService(self.portal.tickets.database, self.portal.registry(), self.portal.now)


def _masked(grant: Grant) -> Grant:
    purpose, basis = (masked_text(text, is_free=False) for text in (grant.scope.purpose, grant.scope.basis))
    return replace(grant, scope=replace(grant.scope, purpose=purpose, basis=basis))
