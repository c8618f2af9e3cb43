from tests.benchmarks.movielens_sequences import events, lines


def test_a_users_items_are_in_order_of_time_and_equal_times_in_that_of_the_file() -> None:
    ratings = [("1", "b", "5", "20"), ("2", "x", "5", "5"), ("1", "a", "5", "20"), ("1", "c", "5", "10")]
    assert lines(ratings) == ["2 x", "1 c b a"]


def test_events_are_user_item_and_time() -> None:
    assert events([("1", "b", "5", "20")]) == ["SessionId\tItemId\tTime", "1\tb\t20"]
