"""What tests of several tasks share."""

from typing import Any

import pytest
import torch
from contracts import untrained


@pytest.fixture(scope="module")
def painter() -> Any:
    """A painter of the embedded shapes whose heads are not zero and which has seen styles, as if it had learned."""
    made: Any = untrained("semantic-synthesis")
    torch.manual_seed(1)
    for head in made.network.painter.heads:
        torch.nn.init.normal_(head.weight, std=0.2)
    made.network.bank.keep(torch.rand(20, 4, 8) * 2 - 1, torch.ones(20, 4, dtype=torch.bool))
    return made
