"""Keys with which the devices of companies send readings, for those who manage them."""

from dataclasses import dataclass
from datetime import timedelta

from jobs.access import rights
from jobs.access.policy import Right
from jobs.errors import PolicyRefusal, Unknown
from jobs.model.actor import Actor
from jobs.serving.collector.keys import Key, Keys
from jobs.serving.portal.context import Portal

OVERLAP = timedelta(days=7)
"""So long a key stays valid after its rotation, so that devices can be changed one by one."""
MOST_NOTE = 200


@dataclass(frozen=True)
class NewKey:
    """A key and its secret, which is shown this once."""

    key: Key
    secret: str


@dataclass(frozen=True)
class KeyService:
    """Lists, adds, rotates and ends keys; NotAllowed for others than operators."""

    portal: Portal
    actor: Actor

    def all(self) -> list[Key]:
        """All keys, also those that have ended."""
        return self._keys().all()

    def providers(self) -> dict[str, str]:
        """Names of the providers whose contracts have a stream, by id."""
        return {contract.provider: contract.department for contract in self.portal.registry().streams()}

    def add(self, provider: str, note: str) -> NewKey:
        """A new key of a provider."""
        keys = self._keys()
        if provider not in self.providers():
            raise PolicyRefusal("请选择有实时数据集的单位")
        return NewKey(*keys.add(provider, note.strip()[:MOST_NOTE], self.portal.now()))

    def rotate(self, name: str) -> NewKey:
        """A new key in place of another, which stays valid for `OVERLAP`."""
        now = self.portal.now()
        return NewKey(*self._known(name).rotate(name, now, now + OVERLAP))

    def end(self, name: str) -> Key:
        """The key, which opens nothing from now on."""
        return self._known(name).end(name, self.portal.now())

    def _known(self, name: str) -> Keys:
        keys = self._keys()
        if name not in {key.id for key in keys.all()}:
            raise Unknown(f"没有编号为 {name} 的密钥")
        return keys

    def _keys(self) -> Keys:
        rights.check_right(self.actor, Right.MANAGE_KEYS, "管理接入密钥")
        return Keys(self.portal.tickets.database)
