"""The bridge from the lake to a night's lists and back: who gets one, of what, and the run's record."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lstmrec import __version__, baselines, gate, shelf
from lstmrec import columns as c
from lstmrec.config import Config
from lstmrec.gate import Verdict
from lstmrec.lake import history, models
from lstmrec.lake.list_tables import ITEM_RULES, RECOMMENDATION_RUNS, RECOMMENDATIONS, RULESETS
from lstmrec.lake.model_tables import ITEM_INDEX, SEQUENCES
from lstmrec.lake.models import ModelRun
from lstmrec.lake.store import Lake
from lstmrec.lake.tables import ITEMS, SESSIONS, USERS
from lstmrec.lake.validity import valid_on
from lstmrec.lists import ListMaker
from lstmrec.prepare import exclusions, histories, splits
from lstmrec.scoring import ModelScorer
from lstmrec.shelf import Shelf

READS = (ITEM_INDEX, SEQUENCES, SESSIONS, USERS, ITEMS, ITEM_RULES)


@dataclass(frozen=True)
class Night:
    """All that the lists of a run date are made of, at pinned versions."""

    run_date: date
    config: Config
    model: ModelRun
    users: DataFrame
    shelf: Shelf
    index: DataFrame
    ruleset: str
    """The rules as JSON."""
    previous: DataFrame | None
    table_versions: Mapping[str, int]

    @property
    def ruleset_version(self) -> str:
        return hashlib.sha256(self.ruleset.encode()).hexdigest()[:12]

    @property
    def settings(self) -> str:
        """What of the configuration the lists follow from, as JSON; the rest is in the model's own record."""
        told = self.config.model_dump(mode="json", include={"scoring", "gate"})
        told["event_weights"] = self.config.source.event_weights
        return json.dumps(told, sort_keys=True)

    @property
    def run_id(self) -> str:
        """The same for a rerun with the same model and rules."""
        return f"score_recommendations-{self.run_date}-{self.model.model_version}-{self.ruleset_version}"

    def lists(self) -> DataFrame:
        """What ListMaker makes for the users."""
        scorer = ModelScorer.of(self.model, self.index)
        seed = self.run_date.isoformat()
        maker = ListMaker(scorer, self.model.n_items, self.shelf, self.config.scoring, seed)
        return maker.lists(self.users)

    def signed(self, lists: DataFrame) -> DataFrame:
        """`lists` as rows of `recommendations`: as of the end of the run date, whenever the job runs."""
        as_of = datetime.combine(self.run_date + timedelta(days=1), time(), UTC)
        versions = [F.lit(part) for pair in sorted(self.table_versions.items()) for part in pair]
        return lists.withColumns(
            {
                c.RUN_DATE: F.lit(self.run_date),
                c.MODEL_VERSION: F.lit(self.model.model_version),
                c.RULESET_VERSION: F.lit(self.ruleset_version),
                "table_versions": F.create_map(*versions).cast("map<string,bigint>"),
                "scored_at": F.lit(as_of),
                "expires_at": F.lit(as_of + timedelta(days=self.config.scoring.expires_days)),
            }
        )

    def for_gate(self, lists: DataFrame) -> gate.Night:
        return gate.Night(lists, self.users, self.previous, self.shelf, self.index, self.config.scoring.n)


def prepare(lake: Lake, config: Config, run_date: date) -> Night:
    """Read what the lists of `run_date` are made of.

    Raises
    ------
    BadInput
        Where no model serves that date.
    BadArtifact
        Where the model was made with another item index.
    """
    rules = config.scoring.rules
    lake.create(ITEM_RULES)
    model = models.current(lake, run_date)
    history.require_as_of(lake, SEQUENCES, run_date, "build_sequences")
    index = lake.read(ITEM_INDEX)
    known = valid_on(lake.read(USERS), run_date)
    segments = _segments(known, rules.segment_attribute)
    events = histories.owned_events(lake.read(SESSIONS), run_date)
    item_rules = valid_on(lake.read(ITEM_RULES), run_date).select(c.ITEM_ID, "rule")
    popularity = baselines.recent_popularity(
        events, segments, config.source.event_weights, run_date, rules.popularity_days
    )
    today = _catalogue(lake.read(ITEMS), run_date) if config.source.items is not None else None
    ruled = sorted(map(tuple, item_rules.collect()))
    return Night(
        run_date=run_date,
        config=config,
        model=model,
        # ranked once, and looked at by each rule of the gate
        users=_users(
            lake, known, segments, exclusions.excluded(events, index, rules.exclude, run_date)
        ).persist(),
        shelf=shelf.build(index, today, item_rules, popularity, rules, run_date),
        index=index,
        ruleset=json.dumps({"rules": rules.model_dump(mode="json"), "item_rules": ruled}, sort_keys=True),
        previous=_published_before(lake, run_date),
        table_versions={
            table.name: lake.versions[table.name] for table in READS if table.name in lake.versions
        },
    )


def record(
    lake: Lake, night: Night, verdicts: list[Verdict], by_source: Mapping[str, int], seconds: float
) -> None:
    """Write down the run, its verdicts and its rules, whether it is published or not.

    `seconds` is how long it took to make and to judge the lists.
    """
    spark = lake.spark
    row = {
        c.RUN_ID: night.run_id,
        c.RUN_DATE: night.run_date,
        "is_published": all(verdict.is_met for verdict in verdicts),
        c.MODEL_VERSION: night.model.model_version,
        c.RULESET_VERSION: night.ruleset_version,
        "artifact": night.model.artifact,
        "code_version": __version__,
        "config": night.settings,
        "table_versions": dict(night.table_versions),
        "seconds": seconds,
        "n_users": night.users.count(),
        "n_rows": sum(by_source.values()),
        "rows_by_source": dict(by_source),
        "verdicts": gate.as_rows(verdicts),
    }
    rules = (night.ruleset_version, night.ruleset, night.run_date)
    lake.add_missing(RULESETS, spark.createDataFrame([rules], RULESETS.schema))
    lake.upsert(RECOMMENDATION_RUNS, spark.createDataFrame([row], RECOMMENDATION_RUNS.schema))


def _users(lake: Lake, known: DataFrame, segments: DataFrame, excluded: DataFrame) -> DataFrame:
    warm = lake.read(SEQUENCES).where(F.col(c.SPLIT) == splits.SCORE)
    everybody = histories.with_cold_users(warm, known)
    return (
        everybody.join(excluded, on=c.USER_ID, how="left")
        .join(segments, on=c.USER_ID, how="left")
        .withColumn(c.SEEN, F.coalesce(c.SEEN, F.array().cast("array<int>")))
    )


def _segments(known: DataFrame, attribute: str | None) -> DataFrame:
    told = F.lit(None).cast("string") if attribute is None else F.col(c.ATTRIBUTES)[attribute]
    return known.select(c.USER_ID, told.alias(c.SEGMENT)).where(F.col(c.SEGMENT).isNotNull())


def _catalogue(items: DataFrame, run_date: date) -> DataFrame:
    since = items.groupBy(c.ITEM_ID).agg(F.min(c.VALID_FROM).alias("since"))
    return valid_on(items, run_date).select(c.ITEM_ID, c.CATEGORIES).join(since, on=c.ITEM_ID, how="inner")


def _published_before(lake: Lake, run_date: date) -> DataFrame | None:
    lake.create(RECOMMENDATIONS)
    earlier = lake.read(RECOMMENDATIONS).where(F.col(c.RUN_DATE) < F.lit(run_date))
    newest = earlier.agg(F.max(c.RUN_DATE)).collect()[0][0]
    return None if newest is None else earlier.where(F.col(c.RUN_DATE) == F.lit(newest))
