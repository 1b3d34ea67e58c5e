"""The examples of docs/arithmetic.md are run: what the page shows is what calc answers."""

import re
from doctest import DocTestParser, DocTestRunner

import pytest

from tests.calc.golden import DOCUMENT

BLOCK = re.compile(r"^```pycon\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_examples_answer_as_the_page_shows(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = BLOCK.findall(DOCUMENT.read_text(encoding="utf-8"))
    assert len(blocks) >= 7
    examples = DocTestParser().get_doctest("\n".join(blocks), {}, DOCUMENT.name, str(DOCUMENT), 0)
    assert len(examples.examples) > 40
    result = DocTestRunner().run(examples)
    assert result.failed == 0, capsys.readouterr().out
