"""Grants as people give and end them: who may, and a record of each in the access log's chain."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from jobs.access.grants import Grant, Grants, InvalidGrant, Scope, mistakes
from jobs.access.policy import Right, access_policy
from jobs.access.rights import check_own, check_right
from jobs.contracts import Contract, Registry
from jobs.contracts.grades import highest
from jobs.errors import ContractError, InvalidTransition, Unknown
from jobs.lake.database import Database
from jobs.model.actor import Actor
from jobs.serving.access_log import Access, AccessLog
from jobs.serving.accounts import Accounts

BUREAU = "bureau"


@dataclass(frozen=True)
class GrantService:
    """Gives and ends grants for the department that owns the data."""

    database: Database
    registry: Registry
    now: Callable[[], datetime]

    def mistakes(self, by: Actor, scope: Scope) -> dict[str, str]:
        """What to correct before it can be given, as jobs.access.grants has it; NotAllowed for others than the owner."""
        contract = self._checked(by, scope.dataset)
        found = mistakes(scope, self.now())
        departments = self.departments(contract.provider)
        if not scope.department or scope.department == contract.provider:
            found["department"] = "请写明授权给哪个部门；数据归属部门自己不需要授权"
        elif scope.department not in departments:
            found["department"] = f"没有部门 {scope.department}；可以是：{'、'.join(departments)}"
        elif scope.account and "account" not in found and not self._has_account(scope):
            found["account"] = (
                f"{scope.department} 没有可用的账号 {scope.account}；请核对登录名，或留空以授权给整个部门"
            )
        return found

    def _has_account(self, scope: Scope) -> bool:
        accounts = Accounts(self.database).list()
        return any(a.name == scope.account and a.department == scope.department and not a.is_disabled for a in accounts)

    def departments(self, owner: str) -> list[str]:
        """Ids of the departments to which an owner may open data: all others with data in the lake, and the bureau."""
        return sorted({*self.registry.providers().values(), BUREAU} - {owner})

    def give(self, by: Actor, scope: Scope) -> Grant:
        """The new grant; NotAllowed for others than the owner, Unknown for an unknown dataset, InvalidGrant for mistakes."""
        found = self.mistakes(by, scope)
        if found:
            raise InvalidGrant(found)
        contract = self.registry.contract(scope.dataset)
        grant = Grants(self.database).add(scope, by, self.now())
        who = f"{scope.department}{f'（{scope.account}）' if scope.account else ''}"
        self._record(by, "grant", grant, contract, f"授权给 {who}；视图 {scope.view}；{grant.notice()}；{scope.basis}")
        return grant

    def end(self, by: Actor, id_: int) -> Grant:
        """The grant, which opens nothing any more; InvalidTransition where it opened nothing before."""
        grant = Grants(self.database).get(id_)
        contract = self._checked(by, grant.scope.dataset)
        if not grant.is_valid(self.now()):
            raise InvalidTransition(f"授权 {id_} 已经失效，不需要终止")
        ended = Grants(self.database).end(id_, self.now())
        self._record(by, "end_grant", ended, contract, ended.notice())
        return ended

    def _checked(self, by: Actor, dataset: str) -> Contract:
        try:
            contract = self.registry.contract(dataset)
        except ContractError as error:
            raise Unknown(f"没有数据集 {dataset}") from error
        check_right(by, Right.GRANT, "授权他人使用数据")
        check_own(by, contract.provider, "授权他人使用")
        return contract

    def _record(self, by: Actor, action: str, grant: Grant, contract: Contract, reason: str) -> None:
        view = access_policy().views[grant.scope.view]
        grade = highest(f.classification for f in contract.fields if view[f.classification] != "hidden")
        access = Access(action, f"授权 {grant.id}", contract.id, grade, reason)
        AccessLog(self.database).add(by, access, self.now())
