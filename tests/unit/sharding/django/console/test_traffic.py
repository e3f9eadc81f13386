from sharding.django.console.traffic import Rate, rates


def test_a_rate_is_what_was_done_by_the_second() -> None:
    traffic = rates((100.0, {"a": (10, 5)}), (110.0, {"a": (60, 5)}))
    assert traffic.seconds == 10
    assert traffic.rates == {"a": Rate(reads=5.0, writes=0.0)}


def test_a_place_that_is_new_has_no_rate_yet() -> None:
    assert rates((0.0, {}), (10.0, {"a": (60, 5)})).rates == {}


def test_statistics_that_went_back_tell_nothing() -> None:
    assert rates((0.0, {"a": (60, 5)}), (10.0, {"a": (2, 5)})).rates == {}


def test_two_readings_at_once_tell_nothing() -> None:
    assert rates((5.0, {"a": (0, 0)}), (5.0, {"a": (9, 9)})).seconds == 0
