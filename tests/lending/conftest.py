"""The programme every test here lends in."""

import pytest

from tests.lending.world import World, make_world


@pytest.fixture
def world(db: None) -> World:
    """Two institutions, one agreement of ten crore, people for every step."""
    return make_world()
