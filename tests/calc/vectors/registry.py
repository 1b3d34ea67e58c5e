"""Which check runs a published case: one of its own by id, else the one for the kind it names."""

from collections.abc import Callable

from tests.calc.vectors.reading import Case

Runner = Callable[[Case], None]
BY_ID: dict[str, Runner] = {}
BY_CHECK: dict[str, Runner] = {}


def case(*ids: str) -> Callable[[Runner], Runner]:
    def remember(runner: Runner) -> Runner:
        BY_ID.update(dict.fromkeys(ids, runner))
        return runner

    return remember


def check(*names: str) -> Callable[[Runner], Runner]:
    def remember(runner: Runner) -> Runner:
        BY_CHECK.update(dict.fromkeys(names, runner))
        return runner

    return remember


def runner_of(one: Case) -> Runner | None:
    return BY_ID.get(one["id"]) or BY_CHECK.get(one["verify"])
