"""Datasets, deliveries, departments and reports for an actor."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from jobs.access import rights
from jobs.access.grants import reading
from jobs.access.personal_numbers import masked_text
from jobs.access.policy import Right
from jobs.access.roles import reads_as_sent
from jobs.collaboration.ticket_queries import TicketCounts
from jobs.contracts import Contract, Elements
from jobs.contracts.odcs_export import exported
from jobs.errors import ContractError, ServiceUnavailable, Unknown, UserError
from jobs.lake.results import Results
from jobs.lake.session import is_unavailable
from jobs.lake.zones import Zone
from jobs.model.actor import Actor
from jobs.model.delivery import Delivery
from jobs.model.verdict import Verdict
from jobs.reporting.entries import Entry, answers, ended_entries, punctuality, regular_entries
from jobs.reporting.report_store import report_key
from jobs.reporting.score import scores, weights
from jobs.reporting.trends import dataset_trends
from jobs.serving.access_log import Access
from jobs.serving.portal.context import Portal
from jobs.serving.portal.county_map import county_map
from jobs.serving.portal.overview_snapshot import OverviewSnapshot
from jobs.serving.portal.services.data_views import DatasetView, DeliveryView, DepartmentView, Overview, Ranked
from jobs.serving.portal.services.dataset_search import find_datasets
from jobs.serving.portal.services.samples import Sample, curated_rows

logger = logging.getLogger(__name__)
SHOWN = 30
AWAY = "对象存储暂时无响应，质检结果稍后再看"
REPORT = re.compile(r"(?:[\w-]+/){0,2}[\w.-]+\.(?:html|xlsx|json)")
ENDINGS = ("html", "xlsx", "json")
NOTHING = OverviewSnapshot((), {}, {})


@dataclass(frozen=True)
class DataService:
    """What the actor may see of data."""

    portal: Portal
    actor: Actor

    def contracts(self) -> tuple[Contract, ...]:
        """Contracts of all datasets: the catalogue is for everybody."""
        return self.portal.registry().sources()

    def dataset(self, dataset: str, with_rows: bool = True) -> DatasetView:
        """One dataset; access to sensitive values is recorded first."""
        contract = self._contract(dataset)
        rules = self.portal.registry().rules.get(dataset, ())
        may_upload = rights.may_deliver(self.actor, contract.provider)
        if not rights.may_know(self.actor, contract.provider):
            sample = self._sample(contract) if with_rows else None
            return DatasetView(contract, rules, None, (), None, (), sample, "", may_upload)
        snapshot, note = self.overview_snapshot()
        mine = snapshot.of_dataset(dataset)
        own = regular_entries(mine)
        return DatasetView(
            contract,
            rules,
            _newest(ended_entries(own)),
            _newest(answers(mine)),
            punctuality(contract, own, self.portal.now()),
            tuple(dataset_trends(own, [contract], self.portal.settings.timezone)),
            self._sample(contract) if with_rows and not note else None,
            note,
            may_upload,
        )

    def contract_document(self, dataset: str) -> str:
        """The contract as a plain ODCS document, YAML."""
        elements = Elements.load(self.portal.settings.schemas / "elements")
        return exported(self.portal.registry(), self._contract(dataset).id, elements)

    def deliveries(self) -> tuple[Entry, ...]:
        """Newest deliveries that the actor may know of, without hours of streams that are not over yet."""
        return _newest(ended_entries(regular_entries(self._known())))

    def reported(self) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
        """Newest deliveries, and newest answers to tickets, that have a report."""
        known = [entry for entry in self._known() if entry.has_report]
        return _newest(regular_entries(known)), _newest(answers(known))

    def _known(self) -> list[Entry]:
        snapshot, _ = self.overview_snapshot()
        return [e for e in snapshot.entries if rights.may_know(self.actor, e.delivery.provider)]

    def delivery(self, delivery_id: str) -> DeliveryView:
        """One delivery, read now; Unknown where it is another department's."""
        delivery = self._delivery(delivery_id)
        contract = self.portal.registry().contracts.get(delivery.dataset)
        try:
            results = Results(self.portal.lake.delta, self.portal.settings.s3_bucket)
            verdict, rules = results.verdict(delivery.id), results.rules([("delivery", "=", delivery.id)])
            keys = [report_key(delivery, ending) for ending in ENDINGS]
            reports = tuple(key.removeprefix(f"{Zone.REPORTS}/") for key in keys if self.portal.lake.store.head(key))
        except Exception as error:
            if not _is_absence(error):
                raise
            return DeliveryView(delivery, contract, None, (), scores((), weights()), (), self._reason(delivery), AWAY)
        failing = tuple(r for r in rules if not r.success or r.unexpected_count)
        reason = self._reason(delivery, verdict)
        scored = scores(() if delivery.is_answer() else rules, weights())
        return DeliveryView(delivery, contract, verdict, failing, scored, reports, reason, "")

    def department(self, provider: str) -> DepartmentView:
        """One department; Unknown for people of another."""
        own = [c for c in self.contracts() if c.provider == provider]
        rights.check_known(self.actor, provider, f"单位 {provider}")
        if not own:
            raise Unknown(f"没有单位 {provider}，或不属于您的部门")
        snapshot, note = self.overview_snapshot()
        now, zone = self.portal.now(), self.portal.settings.timezone
        score = snapshot.departments.get(provider)
        ticket_counts = self.portal.tickets.ticket_counts(self.actor, now)
        return DepartmentView(
            provider,
            own[0].department,
            tuple(punctuality(c, snapshot.of_dataset(c.id), now) for c in own),
            tuple(dataset_trends(regular_entries(snapshot.of_department(provider)), own, zone)),
            score.scores.total if score else None,
            ticket_counts.get(provider, TicketCounts()),
            note,
        )

    def overview(self) -> Overview:
        """The whole city; NotAllowed for people of a department."""
        rights.check_right(self.actor, Right.OVERSEE, "查看全市总览")
        snapshot, note = self.overview_snapshot()
        now = self.portal.now()
        ticket_counts = self.portal.tickets.ticket_counts(self.actor, now)
        times = [punctuality(c, snapshot.of_dataset(c.id), now) for c in self.contracts()]
        parts = [sum(getattr(t, name) for t in ticket_counts.values()) for name in ("open", "overdue", "closed")]
        return Overview(
            _ranked(self.contracts(), snapshot, ticket_counts),
            county_map(snapshot.counties),
            TicketCounts(*parts),
            tuple(t for t in times if t.is_late),
            note,
        )

    def report(self, path: str) -> bytes:
        """A file of a report; Unknown for people of another department, and of the city's index for all of them."""
        provider = path.partition("/")[0] if "/" in path else ""
        if not REPORT.fullmatch(path) or ".." in path:
            raise Unknown("没有这份报告")
        rights.check_known(self.actor, provider, "这份报告")
        key = f"{Zone.REPORTS}/{path}"
        if self.portal.lake.store.head(key) is None:
            raise Unknown("没有这份报告，或不属于您的部门")
        return self.portal.lake.store.get_bytes(key)

    def search(self, text: str) -> tuple[list[Contract], list[Delivery]]:
        """Datasets that fit the words, and deliveries by id or file name, that the actor may know of."""
        if not (term := text.strip().lower()):
            return [], []
        titled = [contract for contract, _ in find_datasets(self.portal, self.contracts(), text)]
        known = [e.delivery for e in self._known()]
        return titled, [d for d in reversed(known) if term in self._words(d).lower()][:SHOWN]

    def overview_snapshot(self) -> tuple[OverviewSnapshot, str]:
        """The overview snapshot, and a note in Chinese where it cannot be read."""
        try:
            return self.portal.overview.get(), ""
        except Exception as error:
            if not _is_absence(error):
                raise
            logger.warning("results cannot be read: %s", str(error).split("\n")[0][:200])
            return NOTHING, AWAY

    def _contract(self, dataset: str) -> Contract:
        try:
            contract = self.portal.registry().contract(dataset)
        except ContractError as error:
            raise Unknown(f"没有数据集 {dataset}") from error
        if contract.kind != "source":
            raise Unknown(f"没有数据集 {dataset}")
        return contract

    def _delivery(self, delivery_id: str) -> Delivery:
        what = f"批次 {delivery_id}"
        try:
            found = self.portal.lake.ledger.get(delivery_id)
        except UserError as error:
            raise Unknown(f"没有{what}，或不属于您的部门") from error
        rights.check_known(self.actor, found.provider, what)
        return found

    def _words(self, delivery: Delivery) -> str:
        """Search text of a delivery; personal numbers in file names are searchable by the sender alone."""
        names = " ".join(delivery.names())
        is_own = reads_as_sent(self.actor, delivery.provider)
        return f"{delivery.id} {names if is_own else masked_text(names, is_free=False)}"

    def _reason(self, delivery: Delivery, verdict: Verdict | None = None) -> str:
        """The reason of the verdict. Personal numbers in file names are shown to the sender alone."""
        reason = (verdict.reason if verdict else "") or delivery.reason
        return reason if reads_as_sent(self.actor, delivery.provider) else masked_text(reason, is_free=False)

    def _sample(self, contract: Contract) -> Sample | None:
        """Curated rows as the actor may read them; recorded, with the grant and its purpose, where they are sensitive."""
        now = self.portal.now()
        how = reading(self.actor, contract, self.portal.grants.of(self.actor, now))
        sample = curated_rows(self.portal.lake, contract, how.view) if how else None
        if how is None or sample is None:
            return None
        by = how.grant.notice() if how.grant else ""
        if sample.is_sensitive():
            reason = f"查看数据集样例；{by}" if by else "查看本部门数据集样例"
            access = Access("sample", f"数据集 {contract.id}", contract.id, sample.grade, reason)
            self.portal.access.add(self.actor, access, now)
        return replace(sample, grant=by)


def _newest(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    return tuple(reversed(entries[-SHOWN:]))


def _is_absence(error: Exception) -> bool:
    return isinstance(error, ServiceUnavailable) or is_unavailable(error)


def _ranked(
    contracts: Sequence[Contract], snapshot: OverviewSnapshot, ticket_counts: Mapping[str, TicketCounts]
) -> tuple[Ranked, ...]:
    """Best first; who has no score yet comes last."""
    names = {c.provider: c.department for c in contracts}
    totals = {p: group.scores.total for p, group in snapshot.departments.items() if group.scores.total is not None}
    better = {p: sum(other > total for other in totals.values()) for p, total in totals.items()}
    rows = [
        Ranked(
            rank=better[p] + 1 if p in better else None,
            provider=p,
            name=names[p],
            score=totals.get(p),
            deliveries=snapshot.departments[p].deliveries if p in snapshot.departments else 0,
            tally=ticket_counts.get(p, TicketCounts()),
        )
        for p in names
    ]
    return tuple(sorted(rows, key=lambda r: (r.rank is None, r.rank or 0, r.name)))
