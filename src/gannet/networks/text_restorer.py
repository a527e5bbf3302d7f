"""Networks of texts: a bidirectional Transformer that tells what signs are missing, and one that judges each sign.

Blocks are those of Vaswani et al. (2017), with what normalizes before each part (Xiong et al., 2020), relative
positions by rotation (Su et al., 2021, "RoFormer"), and a convolution over a few neighbours before attention, by which
a small network knows the spelling of words (So et al., 2021, "Primer", section 4).
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from pydantic import ConfigDict, Field
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import gelu, scaled_dot_product_attention, softplus

from gannet.schema import STRICT

PADDING = 0
"""The sign that stands behind the end of a text, and that nobody looks at."""
SLOWEST = 1000.0
"""How many positions the slowest rotation takes, divided by two pi: texts are read some hundred signs at a time."""
DEVIATION = 0.02
"""Of first weights."""
SIDES, LEAST = 2, 1e-6
"""From which a sign may be told, and the least chance of one that counts."""


class Attention(nn.Module):
    """Self-attention whose queries and keys are turned by their positions (Su et al., 2021, equation 14)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.inward, self.outward = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)

    def forward(self, values: Tensor, seen: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
        """Map (b, t, width) to the same shape.

        Args:
            seen: (b, 1, 1, t), what is attended to.
            turns: cosines and sines of positions, each (t, width / heads / 2).
        """
        parts = self.inward(values).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = parts.unbind(0)
        found = scaled_dot_product_attention(turned(query, turns), turned(key, turns), value, attn_mask=seen)
        mixed: Tensor = self.outward(found.transpose(1, 2).flatten(2))
        return mixed


def turned(values: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
    """Turn pairs of numbers (..., t, 2 n) by angles whose cosines and sines (t, n) are given."""
    first, second = values.chunk(2, -1)
    cosine, sine = (one.to(values.dtype) for one in turns)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], -1)


def turns_of(length: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Give the cosines and sines of positions, each (length, width / 2)."""
    rates = SLOWEST ** -(torch.arange(0, width, 2, device=device) / width)
    angles = torch.arange(length, device=device)[:, None] * rates
    return angles.cos(), angles.sin()


class Block(nn.Module):
    """A convolution over neighbours, attention, and two layers with a nonlinearity, each added to what it was given."""

    def __init__(self, width: int, heads: int, neighbours: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.near = nn.Conv1d(width, width, neighbours, padding=neighbours // 2, groups=width)
        self.attention = Attention(width, heads)
        self.inner, self.outer = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, values: Tensor, seen: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
        """Map (b, t, width) to the same shape."""
        # What stands behind the end counts as little as what lies outside of a text.
        normal = self.norms[0](values) * seen[:, 0, 0, :, None]
        # Added by itself, too: through attention alone, even at first, neighbours would be lost among all signs.
        near = self.near(normal.transpose(1, 2)).transpose(1, 2)
        values = values + near + self.attention(normal + near, seen, turns)
        fed: Tensor = values + self.outer(gelu(self.inner(self.norms[1](values))))
        return fed


class Reader(nn.Module):
    """Blocks over the signs of a text, before which stands what language it is in.

    Args:
        languages: how many there are; one more stands for a language that is not known.
    """

    def __init__(self, languages: int, options: "TextNetworks", width: int, depth: int) -> None:
        super().__init__()
        self.language = nn.Embedding(languages + 1, width)
        self.blocks = nn.ModuleList(Block(width, options.heads, options.neighbours) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.head_width = width // options.heads

    def forward(self, values: Tensor, present: Tensor, language: Tensor) -> Tensor:
        """Map (b, t, width) to the same shape.

        Args:
            present: (b, t), where there is anything.
            language: (b,), its number.
        """
        values = torch.cat([self.language(language)[:, None].to(values.dtype), values], 1)
        seen = torch.cat([torch.ones_like(present[:, :1]), present], 1)[:, None, None]
        turns = turns_of(values.shape[1], self.head_width, values.device)
        for block in self.blocks:
            values = block(values, seen, turns)
        read: Tensor = self.norm(values)[:, 1:]
        return read


class TextRestorer(nn.Module):
    """Tells the signs of a text where some are lost, and how long gaps of unknown length are.

    Args:
        signs: how many there are, those of what is lost included.
        reach: signs of the longest gap whose length is told.
    """

    def __init__(self, signs: int, languages: int, reach: int, options: "TextNetworks") -> None:
        super().__init__()
        width = options.width
        self.embedding, self.informed = nn.Embedding(signs, width), nn.Linear(SIDES * signs, width, bias=False)
        self.reader = Reader(languages, options, width, options.depth)
        self.head, self.length_head = nn.Linear(width, signs), nn.Linear(width, reach)
        self.trust = nn.Linear(width, SIDES)
        initialize(self)

    def forward(self, signs: Tensor, language: Tensor, chances: Tensor) -> tuple[Tensor, Tensor]:
        """Map texts to logits of signs (b, t, signs) and of lengths (b, t, reach); a length is one more than its index.

        Args:
            signs: (b, t).
            language: (b,).
            chances: of each sign by what stands before and behind it (b, t, 2, signs), in [0, 1], zero where nobody
                tells any. Their logarithms are added to the logits, each side's as far as it is trusted.
        """
        values = self.embedding(signs) + self.informed(chances.flatten(2))
        read = self.reader(values, signs != PADDING, language)
        told = (softplus(self.trust(read))[..., None] * chances.clamp_min(LEAST).log()).sum(-2)
        return self.head(read) + told, self.length_head(read)


class TextDiscriminator(nn.Module):
    """Judges each sign of a whole text: was it there, or did a generator fill it in?"""

    def __init__(self, signs: int, languages: int, options: "TextNetworks") -> None:
        super().__init__()
        width = options.discriminator_width
        self.embedding, self.filled = nn.Linear(signs, width, bias=False), nn.Parameter(DEVIATION * torch.randn(width))
        self.reader = Reader(languages, options, width, options.discriminator_depth)
        self.head = nn.Linear(width, 1)
        initialize(self)

    def forward(self, chances: Tensor, filled: Tensor, language: Tensor) -> Tensor:
        """Map chances of signs (b, t, signs), where some may be lost (b, t) and languages (b,) to logits (b, t)."""
        values = self.embedding(chances) + filled[..., None] * self.filled
        # What is quick about attention has no second derivative, which gradient penalties take.
        with sdpa_kernel(SDPBackend.MATH):
            read = self.reader(values, chances[..., PADDING] < 0.5, language)
        logits: Tensor = self.head(read)[..., 0]
        return logits


def initialize(network: nn.Module) -> None:
    """Draw small first weights, so that all signs are as likely at first."""
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, 0.0, DEVIATION)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)


@dataclass(frozen=True)
class TextNetworks:
    """How wide and deep the network that restores and the one that judges are."""

    # Read when a recipe's section is checked: keys that are not fields are refused.
    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    width: Annotated[int, Field(ge=4, le=1024)] = 256
    """Numbers a sign."""
    depth: Annotated[int, Field(ge=1, le=24)] = 4
    """Blocks."""
    heads: Annotated[int, Field(ge=1, le=16)] = 4
    """Parts of attention, each with its own eyes; twice as many divide both widths."""
    neighbours: Annotated[int, Field(ge=1, le=15)] = 7
    """Signs that the convolution before attention sees, an odd number."""
    discriminator_width: Annotated[int, Field(ge=4, le=1024)] = 128
    """Numbers a sign in the discriminator."""
    discriminator_depth: Annotated[int, Field(ge=1, le=24)] = 2
    """Blocks of the discriminator."""

    def __post_init__(self) -> None:
        if self.width % (2 * self.heads) or self.discriminator_width % (2 * self.heads):
            raise ValueError("network.width and network.discriminator_width must be multiples of twice network.heads.")
        if not self.neighbours % 2:
            raise ValueError("network.neighbours must be odd, so that as many are seen on both sides.")

    def generator(self, signs: int, languages: int, reach: int) -> TextRestorer:
        """Build the network that restores."""
        return TextRestorer(signs, languages, reach, self)

    def discriminator(self, signs: int, languages: int) -> TextDiscriminator:
        """Build the network that judges."""
        return TextDiscriminator(signs, languages, self)
