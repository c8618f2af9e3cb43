"""What must hold of a night's lists before anybody sees them; each rule with what was found and its limit."""

from dataclasses import asdict, dataclass
from typing import Any, Final

from pyspark.sql import Column, DataFrame, Row
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
    found = _over_users(night)
    verdicts = [
        *_of_lists(found, night.n),
        _none(
            "items not allowed", found["forbidden"],
            "rows with an item that is hidden, not to be had, unknown, or not of the segment"
        ),
        _none(
            "excluded items", found["excluded"], "items that scoring.rules.exclude keeps from their users"
        ),
        _of_fallbacks(found, limits),
    ]  # fmt: skip
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


def _over_users(night: Night) -> Row:
    """What is wrong with the lists, counted: in users, in rows where the list says nothing else."""
    own_rule = F.when(F.col(c.SEGMENT).isin(*night.shelf.allowed_for), F.col(c.SEGMENT)).otherwise(EVERYBODY)
    users = night.users.select(c.USER_ID, c.LENGTH, c.SEEN, own_rule.alias("own_rule"))
    found = users.join(_a_row_a_user(night), on=c.USER_ID, how="full")
    rows, is_warm = F.coalesce("rows", F.lit(0)), F.col(c.LENGTH) > 0

    def total(number: Column) -> Column:
        return F.coalesce(F.sum(number), F.lit(0))

    return found.agg(
        F.count(F.lit(1)).alias("users"),
        F.count_if(rows < night.n).alias("short"),
        F.count_if((rows > night.n) | (F.col("ranks") < rows) | (F.col("last") != rows)).alias("ranks"),
        F.count_if(F.col("items") < rows).alias("repeats"),
        total(F.col("infinite")).alias("infinite"),
        total(
            F.col("unknown") + F.size(F.filter("forbidden_by", lambda rule: rule == F.col("own_rule")))
        ).alias("forbidden"),
        total(F.size(F.array_intersect("indices", c.SEEN))).alias("excluded"),
        total(F.when(is_warm, rows)).alias("of_warm_users"),
        total(F.when(is_warm, F.col("fallbacks"))).alias("fallbacks"),
    ).collect()[0]


def _a_row_a_user(night: Night) -> DataFrame:
    items = night.index.select(c.ITEM_ID, c.ITEM_INDEX).join(_forbidden(night), on=c.ITEM_ID, how="left")
    return (
        night.lists.join(items, on=c.ITEM_ID, how="left")
        .groupBy(c.USER_ID)
        .agg(
            F.count(F.lit(1)).alias("rows"),
            F.size(F.collect_set(c.RANK)).alias("ranks"),
            F.max(c.RANK).alias("last"),
            F.size(F.collect_set(c.ITEM_ID)).alias("items"),
            F.count_if(F.isnan(c.SCORE) | (F.abs(c.SCORE) == float("inf"))).alias("infinite"),
            F.count_if(F.col(c.ITEM_INDEX).isNull()).alias("unknown"),
            F.flatten(F.collect_list("forbidden_by")).alias("forbidden_by"),
            F.collect_list(c.ITEM_INDEX).alias("indices"),
            F.count_if(F.col(c.SOURCE).isin(*_FALLBACKS)).alias("fallbacks"),
        )
    )


def _forbidden(night: Night) -> DataFrame:
    """item_id and forbidden_by: the rules, EVERYBODY's or a segment's, that keep the item out."""
    shelf = night.shelf
    rules = {EVERYBODY: shelf.allowed, **shelf.allowed_for}
    out = [(str(item), rule) for rule, may in rules.items() for item in shelf.item_ids[~may] if item]
    pairs = night.lists.sparkSession.createDataFrame(out, f"{c.ITEM_ID} string, rule string")
    return pairs.groupBy(c.ITEM_ID).agg(F.collect_list("rule").alias("forbidden_by"))


def _of_lists(found: Row, n: int) -> list[Verdict]:
    return [
        _at_least("users", found["users"], 1, "nobody is to have a list; look at sequences and users"),
        _none(
            "short lists", found["short"], f"users with fewer than {n} items: too few are allowed; see "
            "scoring.rules, item_rules and the catalogue"
        ),
        _none("wrong ranks", found["ranks"], "users whose ranks are not 1, 2, ... n"),
        _none("repeated items", found["repeats"], "users with an item twice"),
        _none("infinite scores", found["infinite"], "rows; train the model again, or roll it back"),
    ]  # fmt: skip


def _of_fallbacks(found: Row, limits: GateConfig) -> Verdict:
    share = found["fallbacks"] / found["of_warm_users"] if found["of_warm_users"] else 0.0
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
