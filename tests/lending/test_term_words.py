"""Every sentence calc refuses with is known where it is said to people."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from config.environment import BASE_DIR
from lending.term_words import SENTENCES


def sentences_of(path: Path) -> Iterator[str]:
    """What stands as the sentence of a refusal: second argument of CannotSchedule and of the tests."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        parts: list[ast.expr] = []
        called = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
        if isinstance(node, ast.Call) and called in ("CannotSchedule", "CannotReplan"):
            parts = node.args[1:2]
        elif isinstance(node, ast.Call) and called == "refuse":
            parts = node.args[3:4]
        elif isinstance(node, ast.Yield | ast.Tuple):
            value = node.value if isinstance(node, ast.Yield) else node
            if isinstance(value, ast.Tuple) and len(value.elts) >= 3:
                parts = value.elts[2:3]
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in (
            "sentence", "BELOW_INTEREST", "BEYOND", "EXHAUSTED", "NOT_REPAID",
        ):  # fmt: skip
            parts = [node.value]
        for part in parts:
            if isinstance(part, ast.Constant) and isinstance(part.value, str) and " " in part.value:
                yield part.value


def test_calcs_sentences_are_all_known() -> None:
    files = [BASE_DIR / "lending" / "services" / "terms.py"]
    files += [path for name in ("schedule", "events") for path in (BASE_DIR / "calc" / name).glob("*.py")]
    said = {sentence for path in files for sentence in sentences_of(path)}
    assert len(said) > 45, "the extraction lost sentences"
    assert said - set(SENTENCES) == set()
