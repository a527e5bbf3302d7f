"""Networks of texts: what they look at, what they can learn, and what is refused."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from gannet.networks.text_restorer import PADDING, TextNetworks, TextRestorer, turned, turns_of

SIGNS, LANGUAGES, REACH = 12, 2, 5
TINY = TextNetworks(width=16, depth=2, heads=2, neighbours=3, discriminator_width=8, discriminator_depth=1)


@pytest.fixture
def restorer() -> TextRestorer:
    torch.manual_seed(0)
    return TINY.generator(SIGNS, LANGUAGES, REACH).eval()


def told_nothing(text: Tensor) -> Tensor:
    return torch.zeros(*text.shape, 2, SIGNS)


def some_signs(*shape: int) -> Tensor:
    return torch.randint(5, SIGNS, shape, generator=torch.Generator().manual_seed(1))


def test_logits_are_of_signs_and_of_lengths(restorer: TextRestorer) -> None:
    text = some_signs(3, 9)
    signs, lengths = restorer(text, torch.tensor([0, 1, 2]), told_nothing(text))
    assert signs.shape == (3, 9, SIGNS) and lengths.shape == (3, 9, REACH)


def test_both_sides_are_read_and_what_is_behind_the_end_is_not(restorer: TextRestorer) -> None:
    text, language = some_signs(1, 8), torch.zeros(1, dtype=torch.long)
    whole = restorer(text, language, told_nothing(text))[0][0, 3]
    for at in (0, 7):
        other = text.clone()
        other[0, at] = 5 + (text[0, at] - 4) % (SIGNS - 5)
        assert not torch.allclose(restorer(other, language, told_nothing(other))[0][0, 3], whole, atol=1e-6)
    longer = torch.cat([text, torch.full((1, 6), PADDING)], 1)
    assert torch.allclose(restorer(longer, language, told_nothing(longer))[0][0, 3], whole, atol=1e-5)


def test_what_is_told_of_a_sign_counts_as_far_as_either_side_is_trusted(restorer: TextRestorer) -> None:
    """With no other knowledge, the chances are those of both sides multiplied, each to the power of its trust."""
    text, language = some_signs(1, 4), torch.zeros(1, dtype=torch.long)
    for part in (restorer.head, restorer.trust, restorer.informed):
        torch.nn.init.zeros_(part.weight)
    restorer.trust.bias.data = torch.tensor([1.0, 2.0]).expm1().log()  # The inverse of softplus.
    told = torch.rand(1, 4, 2, SIGNS, generator=torch.Generator().manual_seed(0)) + 0.1
    product = told[:, :, 0] * told[:, :, 1].square()
    found = restorer(text, language, told)[0].softmax(-1)
    assert torch.allclose(found, product / product.sum(-1, keepdim=True), atol=1e-5)


def test_the_language_matters(restorer: TextRestorer) -> None:
    text = some_signs(1, 8).repeat(LANGUAGES + 1, 1)
    logits, _ = restorer(text, torch.arange(LANGUAGES + 1), told_nothing(text))
    assert len(torch.unique(logits.mean((1, 2)))) == LANGUAGES + 1


def test_what_attention_compares_depends_on_distances_alone() -> None:
    query, key = (one / one.norm() for one in torch.randn(2, 8, generator=torch.Generator().manual_seed(0)))
    turns = turns_of(12, 8, torch.device("cpu"))
    likeness = turned(query.expand(12, 8), turns) @ turned(key.expand(12, 8), turns).T
    for distance in (-3, 0, 5):
        diagonal = likeness.diagonal(distance)
        assert torch.allclose(diagonal, diagonal[:1].expand_as(diagonal), atol=1e-5)
    assert torch.allclose(likeness.diagonal(), (query * key).sum().expand(12), atol=1e-5), "turns keep lengths"


def test_a_network_learns_a_text_that_repeats_itself(restorer: TextRestorer) -> None:
    """Of a text of seven signs in a row one that is hidden follows from those around it: chance would be a seventh."""
    restorer.train()
    optimizer = torch.optim.AdamW(restorer.parameters(), 1e-2)
    random = torch.Generator().manual_seed(0)
    language = torch.zeros(16, dtype=torch.long)
    for _ in range(140):
        starts = torch.randint(0, 7, (16, 1), generator=random)
        text = 5 + (starts + torch.arange(14)) % 7
        hidden = torch.rand(16, 14, generator=random) < 0.3
        logits, _ = restorer(text.masked_fill(hidden, 1), language, told_nothing(text))
        optimizer.zero_grad()
        cross_entropy(logits[hidden], text[hidden]).backward()
        optimizer.step()
    assert (logits.argmax(-1) == text)[hidden].float().mean() > 0.9


def test_a_discriminator_judges_every_sign_and_penalties_go_through_it() -> None:
    torch.manual_seed(0)
    judge, language = TINY.discriminator(SIGNS, LANGUAGES), torch.zeros(2, dtype=torch.long)
    chances = one_hot(some_signs(2, 8), SIGNS).float().requires_grad_()
    filled = torch.zeros(2, 8)
    logits = judge(chances, filled, language)
    assert logits.shape == (2, 8)
    (slope,) = torch.autograd.grad(logits.sum(), chances, create_graph=True)
    slope.square().sum().backward()
    assert judge.embedding.weight.grad is not None and judge.embedding.weight.grad.abs().sum() > 0
    assert not torch.allclose(judge(chances, filled + 1, language), logits)


@pytest.mark.parametrize("options", [{"width": 18}, {"discriminator_width": 10}, {"neighbours": 4}])
def test_widths_that_heads_do_not_divide_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="network"):
        TextNetworks(**options)
