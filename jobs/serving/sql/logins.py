"""Who opens the SQL service by a token or a password, and whether a login is still valid; for every protocol."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from jobs.lake.database import Database
from jobs.serving.accounts import NAME, Account, Accounts, LoginRefused
from jobs.serving.sql.tokens import PREFIX, Tokens

REFUSED = "unknown user, or no valid token or password of this user / 用户不存在，或令牌、密码无效"


@dataclass(frozen=True)
class Session:
    """A login: the account, and the token that opened it; empty for a password."""

    account: Account
    token: str


@dataclass(frozen=True)
class Logins:
    """Checks logins, and that they are still valid."""

    database: Database
    now: Callable[[], datetime]

    def check(self, session: Session) -> None:
        """LoginRefused where the token has ended since, or the account is disabled or has another role."""
        if session.token:
            valid = {
                verifier.id: verifier.account for verifier in self.tokens().verifiers(session.account.name, self.now())
            }
            account = valid.get(session.token)
        else:
            found = (a for a in Accounts(self.database).list() if a.id == session.account.id and not a.is_disabled)
            account = next(found, None)
        if account is None or account.actor() != session.account.actor():
            raise LoginRefused("the token has ended, or the account has changed / 令牌已停用或账号已变更，请重新连接")

    def tokens(self) -> Tokens:
        return Tokens(self.database)

    def by_token(self, secret: str, name: str = "") -> Session:
        """The login by a token, of the user where one is named; LoginRefused, with one message for every reason."""
        tokens = self.tokens()
        account = tokens.owner(name, secret, self.now()) if name else tokens.bearer(secret, self.now())
        if account is None:
            raise LoginRefused(REFUSED)
        return Session(account, secret.split("_")[1])

    def by_words(self, name: str, words: str, place: str) -> Session:
        """The login by a token or a password as it is; `place` is where failed passwords are counted."""
        if not words or not NAME.fullmatch(name):
            raise LoginRefused(REFUSED)
        if is_token(words):
            return self.by_token(words, name)
        account = Accounts(self.database).checked(name, words, place, self.now())
        if account.must_change:
            raise LoginRefused("change the first password in the portal / 请先在门户修改初始密码")
        return Session(account, "")


def is_token(words: str) -> bool:
    """Whether the words look like a token rather than a password."""
    return words.startswith(f"{PREFIX}_")
