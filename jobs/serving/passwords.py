"""Passwords: hashed with argon2id, compared in the same time whether an account exists or not."""

import re
import secrets
import unicodedata
from collections.abc import Iterable, Mapping
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from jobs.contracts.place import place
from jobs.errors import UserError

LEAST = 10
MOST = 200
AT_ONCE = 4
"""Hashing costs 19 MiB each: concurrent logins wait instead of exhausting memory."""

SAFE_SCORE, LEAST_DIFFERENT = 3, 5
"""A score of zxcvbn: 10^8 guesses and more."""

CHECKED_CHARS = 32
"""Characters that zxcvbn checks: its time grows faster than linearly."""

WORDS = (
    "dashuju",
    "shujuju",
    "shujuhu",
    "zhengwu",
    "citylake",
    "大数据",
    "数据局",
    "数据湖",
    "政务",
)
"""Words about the platform, without separators; those about the city come from its facts."""

REMEDY = "请用几个不相干的词连成一句，或 12 个以上没有规律的字母、数字和符号"
WEAKNESSES: Mapping[str, str] = {
    "dictionary": "主要是常见密码或常用词，大小写变化和形近替换没有帮助",
    "spatial": "主要是键盘上相邻的键",
    "repeat": "主要是重复的字符",
    "sequence": "主要是连续的字符，如 1234、abcd",
    "regex": "主要是年份或日期",
    "date": "主要是年份或日期",
    "bruteforce": "没有规律的部分太短",
}
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_turns = BoundedSemaphore(AT_ONCE)
_nobody = _hasher.hash(secrets.token_urlsafe(32))


def hashed(password: str) -> str:
    """The hash to store."""
    with _turns:
        return _hasher.hash(password)


def fits(password: str, stored_hash: str | None) -> bool:
    """Whether the password is the one that was hashed; takes equally long where there is no hash."""
    with _turns:
        try:
            return _hasher.verify(stored_hash or _nobody, password[:MOST]) and stored_hash is not None
        except (VerificationError, InvalidHashError):
            return False


def one_time() -> str:
    """A password that can be read out: 16 characters without look-alikes."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(4))


def check_new(password: str, own: Iterable[str]) -> None:
    """UserError in Chinese, with the remedy, where a new password is easy to guess; `own` are words about its owner."""
    if not LEAST <= len(password) <= MOST:
        raise UserError(f"新密码须为 {LEAST} 至 {MOST} 个字符")
    plain = unicodedata.normalize("NFKC", password).lower()
    words = [word.lower() for word in own if len(word) > 1]
    bare = _bare(plain)
    if _holds_any(plain, words):
        raise UserError(f"新密码不能包含账号名、姓名或部门；{REMEDY}")
    if forbidden := next((word for word in _forbidden_words() if word in bare), None):
        raise UserError(f"新密码不能包含「{forbidden}」这样与单位、平台有关的词；{REMEDY}")
    if len(set(plain)) < LEAST_DIFFERENT:
        raise UserError(f"新密码中不同的字符太少；{REMEDY}")
    if reason := _weakness(plain, re.split(r"[\s_.-]", " ".join(words))):
        raise UserError(f"新密码容易猜到：{reason}；{REMEDY}")


def _forbidden_words() -> tuple[str, ...]:
    """Words about the city and the platform."""
    return (place().latin_name, place().short_name, *WORDS)


def _bare(text: str) -> str:
    return re.sub(r"[\s_.-]", "", text)


def _holds_any(plain: str, words: Iterable[str]) -> bool:
    """Whether a word is in the text, with or without its separators."""
    return any(word in plain or _bare(word) in _bare(plain) for word in words)


def _weakness(plain: str, words: list[str]) -> str:
    """Why a password is weak, by the longest pattern that zxcvbn finds; empty where it is strong."""
    from zxcvbn import zxcvbn  # lists of words that only this needs

    estimate = zxcvbn(plain[:CHECKED_CHARS], user_inputs=[*words, *_forbidden_words()])
    parts = estimate["sequence"]
    longest = max(parts, key=lambda part: (part["pattern"] != "bruteforce", len(part["token"])))
    if estimate["score"] >= SAFE_SCORE and (len(parts) > 1 or longest["pattern"] == "bruteforce"):
        return ""
    return WEAKNESSES.get(longest["pattern"], WEAKNESSES["bruteforce"])
