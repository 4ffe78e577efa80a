"""A pipeline step: its function, the assets it reads and writes, and whether it is retried."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import getdoc
from typing import Concatenate, Generic, ParamSpec, TypeVar

from jobs import contracts
from jobs.contracts import Registry
from jobs.errors import SetupError
from jobs.lake.lake import Lake, opened
from jobs.lake.session import retrying
from jobs.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")
CHECKED: set[tuple[str, str]] = set()
"""Object stores, by endpoint and bucket, that honour conditional puts."""


@dataclass(frozen=True)
class Step(Generic[P, T]):
    """A pipeline step. Called with settings, it opens a lake and runs; each is idempotent by delivery id."""

    work: Callable[Concatenate[Lake, Registry, P], T]
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    is_retried: bool = True
    """Whether it is retried while S3 or Spark is unavailable."""

    @property
    def name(self) -> str:
        return self.work.__name__

    @property
    def description(self) -> str:
        """One line that says what the step does."""
        return (getdoc(self.work) or "").partition("\n")[0]

    def __call__(self, settings: Settings, *args: P.args, **kwargs: P.kwargs) -> T:
        """The outcome of the step."""
        registry = contracts.load_usable(settings.schemas, settings.expectations)
        with opened(settings) as lake:

            def attempt() -> T:
                lake.reset_engine()
                if self.writes:
                    check_put_if_absent(lake)
                return self.work(lake, registry, *args, **kwargs)

            attempt.__name__ = self.name
            return retrying(attempt, settings.wait_s)() if self.is_retried else attempt()


def check_put_if_absent(lake: Lake) -> None:
    """SetupError where the object store lets two writers commit one version of a table; asked once per process."""
    endpoint, bucket = lake.settings.s3_endpoint, lake.settings.s3_bucket
    if (endpoint, bucket) in CHECKED:
        return
    if not lake.store.honours_put_if_absent():
        raise SetupError(
            f"The object store at {endpoint} ignores If-None-Match, so concurrent commits would overwrite each other; "
            "use one that supports conditional writes. / 对象存储不支持条件写入（If-None-Match），不能写入数据表，请更换。"
        )
    CHECKED.add((endpoint, bucket))


def step(
    reads: tuple[str, ...] = (), writes: tuple[str, ...] = (), is_retried: bool = True
) -> Callable[[Callable[Concatenate[Lake, Registry, P], T]], Step[P, T]]:
    """Declare a function as a step; `reads` and `writes` are assets of `jobs.contracts.assets`."""

    def declared(work: Callable[Concatenate[Lake, Registry, P], T]) -> Step[P, T]:
        return Step(work, reads, writes, is_retried)

    return declared
