from shop.seeding.names import unclaimed


def test_names_stay_as_they_are_when_nobody_has_them() -> None:
    assert unclaimed(["ana", "bo"], mark="s1", taken=lambda names: set()) == ["ana", "bo"]


def test_a_second_bearer_of_a_name_gets_a_number() -> None:
    names = unclaimed(["ana", "ana", "bo", "ana"], mark="s1", taken=lambda names: set())
    assert names == ["ana", "ana-2", "bo", "ana-3"]


def test_a_number_that_is_somebodys_name_is_passed_over() -> None:
    names = unclaimed(["ana-2", "ana", "ana"], mark="s1", taken=lambda names: set())
    assert names == ["ana-2", "ana", "ana-3"]


def test_a_name_that_the_database_has_gets_the_seeds_mark() -> None:
    there = {"ana", "cleo", "cleo-s7"}
    names = unclaimed(["ana", "bo", "cleo"], mark="s7", taken=there.intersection)
    assert names == ["ana-s7", "bo", "cleo-s7-2"]


def test_only_names_in_doubt_are_asked_for_again() -> None:
    asked: list[list[str]] = []

    def taken(names: list[str]) -> set[str]:
        asked.append(names)
        return {"ana"}.intersection(names)

    unclaimed(["ana", "bo"], mark="s7", taken=taken)
    assert asked == [["ana", "bo"], ["ana-s7"]]
