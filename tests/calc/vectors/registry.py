"""Which check runs a published case: the one for the kind it names in `verify`."""

from collections.abc import Callable

from tests.calc.vectors.reading import Case

Runner = Callable[[Case], None]
BY_CHECK: dict[str, Runner] = {}


def check(*names: str) -> Callable[[Runner], Runner]:
    def remember(runner: Runner) -> Runner:
        BY_CHECK.update(dict.fromkeys(names, runner))
        return runner

    return remember


def runner_of(one: Case) -> Runner | None:
    return BY_CHECK.get(one["verify"])
