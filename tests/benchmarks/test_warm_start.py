from tests.benchmarks import warm_start
from tests.benchmarks.item_sequences import Log
from tests.benchmarks.test_search import result


def test_epochs_are_counted_to_the_level_that_both_reached() -> None:
    cold, warm = result(0.1, 0.2, 0.3, 0.4, 0.3).history, result(0.25, 0.45, 0.44).history
    found = warm_start.saved({"cold": cold, "warm": warm})
    assert found == {
        "level": 0.4,
        "epochs_to_level": {"cold": 4, "warm": 2},
        "best": {"cold": 0.4, "warm": 0.45},
    }


def test_the_earlier_model_lacks_the_last_items_of_each_user() -> None:
    log = Log(("ann", "bob"), (("a", "b", "c", "d"), ("a",)))
    assert warm_start.without_last(log, 2).items == (("a", "b"), ("a",))
