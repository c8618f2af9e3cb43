"""What must hold of a night's lists before anybody sees them; each rule with what was found and its limit."""

from dataclasses import asdict, dataclass
from typing import Any, Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.errors import Refused
from lstmrec.sections import GateConfig
from lstmrec.shelf import EVERYBODY, Shelf

_FALLBACKS: Final = ("segment", "popular")


@dataclass(frozen=True)
class Verdict:
    """One rule: what was found, what is allowed, whether it holds, and what to do where it does not."""

    rule: str
    value: float
    limit: str
    is_met: bool
    told: str

    def line(self) -> str:
        return f"  {'ok  ' if self.is_met else 'FAIL'} {self.rule:<18}{self.value:>12.4g}  ({self.limit})" + (
            "" if self.is_met else f"  {self.told}"
        )


@dataclass(frozen=True)
class Night:
    """The lists of a run date, who they are for, and the newest published ones of a date before it."""

    lists: DataFrame
    users: DataFrame
    """user_id, length (of the history), seen and segment of everybody who is to have a list."""
    previous: DataFrame | None
    shelf: Shelf
    index: DataFrame
    n: int


def judge(night: Night, limits: GateConfig) -> list[Verdict]:
    """Every rule's verdict: it looks at the finished lists alone, and knows nothing of how they were made."""
    verdicts = [
        *_of_lists(night),
        _of_what_is_allowed(night),
        _of_what_was_seen(night),
        _of_fallbacks(night, limits),
    ]
    return verdicts + (_of_change(night, night.previous, limits) if night.previous is not None else [])


def require_met(verdicts: list[Verdict], told: str) -> None:
    """Stop where a rule is not met: `told` says what then holds, and all verdicts follow on one screen.

    Raises
    ------
    Refused
        Nothing was changed by what was judged.
    """
    if not all(verdict.is_met for verdict in verdicts):
        lines = (verdict.line() for verdict in verdicts)
        raise Refused("\n".join([f"gate: {told}", *lines]))


def as_rows(verdicts: list[Verdict]) -> list[dict[str, Any]]:
    """The verdicts as `recommendation_runs` keeps them."""
    return [asdict(verdict) for verdict in verdicts]


def _of_lists(night: Night) -> list[Verdict]:
    n, lists = F.lit(night.n), night.lists
    per_user = lists.groupBy(c.USER_ID).agg(
        F.count(F.lit(1)).alias("rows"),
        F.count_distinct(c.ITEM_ID).alias("items"),
        F.count_distinct(c.RANK).alias("ranks"),
        F.max(c.RANK).alias("last"),
        F.count_if(F.isnan(c.SCORE) | (F.abs(c.SCORE) == float("inf"))).alias("infinite"),
    )
    found = night.users.select(c.USER_ID).join(per_user, on=c.USER_ID, how="full")
    rows = F.coalesce("rows", F.lit(0))
    row = found.agg(
        F.count(F.lit(1)).alias("users"),
        F.count_if(rows < n).alias("short"),
        F.count_if((rows > n) | (F.col("ranks") < rows) | (F.col("last") != rows)).alias("ranks"),
        F.count_if(F.col("items") < rows).alias("repeats"),
        F.coalesce(F.sum("infinite"), F.lit(0)).alias("infinite"),
    ).collect()[0]
    return [
        _at_least("users", row["users"], 1, "nobody is to have a list; look at sequences and users"),
        _none(
            "short lists", row["short"], f"users with fewer than {night.n} items: too few are allowed; see "
            "scoring.rules, item_rules and the catalogue"
        ),
        _none("wrong ranks", row["ranks"], "users whose ranks are not 1, 2, ... n"),
        _none("repeated items", row["repeats"], "users with an item twice"),
        _none("infinite scores", row["infinite"], "rows; train the model again, or roll it back"),
    ]  # fmt: skip


def _of_what_is_allowed(night: Night) -> Verdict:
    shelf, spark = night.shelf, night.lists.sparkSession
    rules = {EVERYBODY: shelf.allowed, **shelf.allowed_for}
    out = [(segment, str(item)) for segment, may in rules.items() for item in shelf.item_ids[~may] if item]
    forbidden = spark.createDataFrame(out, f"_rule string, {c.ITEM_ID} string")
    own = F.when(F.col(c.SEGMENT).isin(*shelf.allowed_for), F.col(c.SEGMENT)).otherwise(EVERYBODY)
    listed = night.lists.select(c.USER_ID, c.ITEM_ID).join(
        night.users.select(c.USER_ID, own.alias("_rule")), on=c.USER_ID, how="left"
    )
    wrong = listed.join(forbidden, on=["_rule", c.ITEM_ID], how="left_semi").count()
    return _none(
        "items not allowed", wrong, "rows with an item that is hidden, not to be had, or not of the segment"
    )


def _of_what_was_seen(night: Night) -> Verdict:
    seen = night.users.select(c.USER_ID, F.explode(c.SEEN).alias(c.ITEM_INDEX))
    listed = night.lists.select(c.USER_ID, c.ITEM_ID).join(
        night.index.select(c.ITEM_ID, c.ITEM_INDEX), on=c.ITEM_ID, how="inner"
    )
    again = listed.join(seen, on=[c.USER_ID, c.ITEM_INDEX], how="left_semi").count()
    return _none("excluded items", again, "rows with an item that scoring.rules.exclude keeps from the user")


def _of_fallbacks(night: Night, limits: GateConfig) -> Verdict:
    warm = night.users.where(F.col(c.LENGTH) > 0).select(c.USER_ID)
    rows = night.lists.join(warm, on=c.USER_ID, how="left_semi")
    row = rows.agg(
        F.count(F.lit(1)).alias("n"), F.count_if(F.col(c.SOURCE).isin(*_FALLBACKS)).alias("fallbacks")
    ).collect()[0]
    share = row["fallbacks"] / row["n"] if row["n"] else 0.0
    limit = limits.max_fallback_share
    return Verdict(
        "share of fallbacks", share, f"at most {limit}", share <= limit,
        "of the items of users with a history; the model knows too few of their items: train it again",
    )  # fmt: skip


def _of_change(night: Night, previous: DataFrame, limits: GateConfig) -> list[Verdict]:
    def sets(lists: DataFrame, name: str) -> DataFrame:
        return lists.groupBy(c.USER_ID).agg(F.collect_set(c.ITEM_ID).alias(name))

    both = sets(night.lists, "today").join(sets(previous, "before"), on=c.USER_ID, how="full")
    stayed = F.size(F.array_intersect("today", "before")) / F.size("before")
    row = both.agg(
        F.count("today").alias("today"), F.count("before").alias("before"), F.avg(stayed).alias("overlap")
    ).collect()[0]
    share = row["today"] / max(1, row["before"])
    found = [
        Verdict(
            "share of users", share, f"at least {limits.min_users_share} of those before",
            share >= limits.min_users_share, "users have a list; is the log of the day complete?",
        )
    ]  # fmt: skip
    if row["overlap"] is not None:
        is_met = limits.min_overlap <= row["overlap"] <= limits.max_overlap
        found.append(
            Verdict(
                "overlap", row["overlap"], f"{limits.min_overlap} to {limits.max_overlap}", is_met,
                "of a user's list before is in today's; look at what changed: model, rules or log",
            )
        )  # fmt: skip
    return found


def _none(rule: str, found: int, told: str) -> Verdict:
    return Verdict(rule, float(found), "none", found == 0, told)


def _at_least(rule: str, found: int, least: int, told: str) -> Verdict:
    return Verdict(rule, float(found), f"at least {least}", found >= least, told)
