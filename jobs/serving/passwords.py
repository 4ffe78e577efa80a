"""Passwords: hashed with argon2id, compared in the same time whether an account exists or not."""

import secrets
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from jobs.errors import UserError

LEAST = 10
MOST = 200
AT_ONCE = 4
"""Hashing costs 19 MiB each: a crowd at the door waits instead of filling the memory."""

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_turns = BoundedSemaphore(AT_ONCE)
_nobody = _hasher.hash(secrets.token_urlsafe(32))


def hashed(password: str) -> str:
    """The hash to keep."""
    with _turns:
        return _hasher.hash(password)


def fits(password: str, kept: str | None) -> bool:
    """Whether the password is the one that was hashed; takes as long where there is none."""
    with _turns:
        try:
            return _hasher.verify(kept or _nobody, password[:MOST]) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def one_time() -> str:
    """A password that can be read out: 16 characters without look-alikes."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(4))


def check_new(password: str, name: str) -> None:
    """UserError in Chinese where a new password is too short, too long, or says the name."""
    if not LEAST <= len(password) <= MOST:
        raise UserError(f"新密码须为 {LEAST} 至 {MOST} 个字符")
    if name.lower() in password.lower():
        raise UserError("新密码不能包含账号名")
    if len(set(password)) < 5:
        raise UserError("新密码过于简单，请使用更多不同的字符")
