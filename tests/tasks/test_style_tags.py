"""Tags that data have of themselves: which styles are one cluster, what it is called, and what words make of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageColor

from gannet.tasks.semantic_synthesis.drawing import LARGEST_TEXT, read_palette
from gannet.tasks.semantic_synthesis.tags import FEWEST, MOST, cluster_styles, read_tags, tags_file
from gannet.tasks.semantic_synthesis.words import by_label, understand

CLASSES = ("sky", "tree", "grass")


def colour(name: str) -> torch.Tensor:
    """A colour in [-1, 1]."""
    return torch.tensor(ImageColor.getrgb(name)) / 127.5 - 1


def seen(*names: str, each: int = 40) -> torch.Tensor:
    """Styles (k, 8) about some colours, that many about each."""
    generator = torch.Generator().manual_seed(0)
    styles = torch.randn(each * len(names), 8, generator=generator) * 0.01
    styles[:, :3] += torch.stack([colour(name) for name in names]).repeat_interleave(each, 0)
    return styles.clamp(-1, 1)


def clustered(*names: str, each: int = 40) -> Any:
    """The clusters of a sky that was seen in these colours."""
    styles = seen(*names, each=each)[:, None]
    return cluster_styles(styles, torch.ones(len(styles), 1, dtype=torch.bool), ["sky"])["sky"]


def test_styles_that_are_alike_are_one_cluster_and_are_called_by_their_mean_colour() -> None:
    names = ("tomato", "navy", "khaki", "orchid")
    found = clustered(*names)
    assert set(found.names) == set(names) and sum(found.shares) == pytest.approx(1)
    for number, name in enumerate(names):
        inside = found.of(seen(*names), [name])
        assert inside.nonzero()[:, 0].tolist() == list(range(40 * number, 40 * number + 40))


def test_clusters_of_one_colour_have_names_apart_and_no_known_word() -> None:
    styles = seen("blue", each=80)
    styles[::2, 3:] += 0.9  # Alike in colour, unlike in what else was seen.
    found = cluster_styles(styles[:, None], torch.ones(80, 1, dtype=torch.bool), ["sky"])["sky"]
    assert len(set(found.names)) == len(found.names) == MOST
    assert "blue" not in found.names, "the dictionary has it for cold"


@pytest.mark.parametrize(("count", "clusters"), [(1, 1), (2 * FEWEST - 1, 1), (2 * FEWEST, 2), (200, MOST)])
def test_few_styles_are_parted_into_few_clusters(count: int, clusters: int) -> None:
    styles = torch.rand(count, 1, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    found = cluster_styles(styles, torch.ones(count, 1, dtype=torch.bool), ["sky"])
    assert len(found["sky"].names) == clusters


def test_one_style_is_one_cluster_and_a_label_that_was_never_seen_has_none() -> None:
    styles, there = torch.zeros(100, 2, 8), torch.ones(100, 2, dtype=torch.bool)
    there[:, 1] = False
    found = cluster_styles(styles, there, ["sky", "tree"])
    assert set(found) == {"sky"} and found["sky"].shares == (1.0,)


@given(
    middles=st.lists(st.lists(st.floats(-1, 1), min_size=8, max_size=8), min_size=16, max_size=40),
    label=st.sampled_from(["sky", "a wall", "0", "yes", "#1", "it's"]),
)
def test_a_file_of_tags_is_read_as_it_was_written(
    middles: list[list[float]], label: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    styles = torch.tensor(middles)[:, None]
    tags = cluster_styles(styles, torch.ones(len(styles), 1, dtype=torch.bool), [label])
    path = tmp_path_factory.mktemp("tags") / "tags.yaml"
    path.write_text(tags_file(tags), "utf-8")
    found = read_tags(path, [label], 8)[label]
    assert found.names == tags[label].names
    assert torch.allclose(found.middles, tags[label].middles, atol=1e-3)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- sky", "hold no styles by label"),
        ("sky: {}", "hold no styles by label"),
        ("skye: {red-ish: {share: 1, style: [0, 0]}}", "did you mean 'sky'"),
        ("sky: {bright: {share: 1, style: [0, 0]}}", "one word that is not in the dictionary"),
        ("sky: {a storm: {share: 1, style: [0, 0]}}", "one word that is not in the dictionary"),
        ("sky: {7: {share: 1, style: [0, 0]}}", "one word that is not in the dictionary"),
        ("sky: {stormy: [0, 0]}", "hold no style of sky, stormy"),
        ("sky: {stormy: {share: 1, style: [0, 0, 0]}}", "give 3 numbers for sky, stormy; the model's styles have 2"),
        ("sky: {stormy: {share: 1, style: [0, .nan]}}", "stormy"),
        ("sky: {stormy: {share: 1, style: [0, 5]}}", "stormy"),
        ("sky: {stormy: {share: 1, shade: 1, style: [0, 0]}}", "shade"),
        ("sky: &a {stormy: *a}", "not YAML|no style"),
        ("sky: !!python/object/apply:os.getcwd []", "not YAML"),
    ],
)
def test_a_file_of_tags_that_means_nothing_is_refused(text: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "tags.yaml").write_text(text)
    with pytest.raises(ValueError, match=problem) as refused:
        read_tags(tmp_path / "tags.yaml", CLASSES, 2)
    assert "tags.yaml" in str(refused.value)


def test_a_file_that_is_missing_large_or_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tags.yaml").write_bytes(b"\xff\xfe\x00sky")
    (tmp_path / "large.yaml").write_bytes(b" " * (LARGEST_TEXT + 1))
    for name in ("tags.yaml", "none.yaml", "large.yaml", "."):
        with pytest.raises(ValueError, match="^The tags .* cannot be read: .*[.]$"):
            read_tags(tmp_path / name, CLASSES, 8)
    for path in ("~nobody-of-that-name/tags.yaml", "a\0b", "/dev/zero"):
        with pytest.raises(ValueError, match="^The palette .* cannot be read: .*[.]$"):
            read_palette(Path(path), CLASSES)


@pytest.mark.parametrize(
    ("sentence", "tags", "unknown"),
    [
        ("a stormy sky over green grass", {0: ["stormy"], 2: ["green"]}, ()),
        ("sky: Stormy", {0: ["stormy"]}, ()),
        ("stormy", {0: ["stormy"], 2: ["stormy"]}, ()),
        ("a stormy tree", {}, ("stormy",)),
        ("a stormy, dark sky", {0: ["stormy", "dark"]}, ()),
    ],
)
def test_tags_of_its_own_concern_the_labels_that_have_them(
    sentence: str, tags: dict[int, list[str]], unknown: tuple[str, ...]
) -> None:
    own = {"sky": ("stormy", "tomato"), "grass": ("stormy",)}
    found = understand(sentence, CLASSES, own)
    assert by_label(found.tags, CLASSES, own) == tags and found.unknown == unknown


def test_a_tag_that_another_label_has_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'stormy' is no tag that tree can have"):
        understand("tree: stormy", CLASSES, {"sky": ("stormy",)})


def test_a_renamed_tag_asks_for_the_styles_of_its_cluster(painter: Any, tmp_path: Path) -> None:
    painter.save_pretrained(tmp_path / "model")
    own = read_tags(tmp_path / "model" / "tags.yaml", painter.classes, 8)["disc"]
    assert own.names[0] != own.names[1]
    edited = (tmp_path / "model" / "tags.yaml").read_text("utf-8")
    first, second = edited.split('"disc":\n', 1)
    second = second.replace(f"  {own.names[0]}:", "  glossy:", 1).replace(f"  {own.names[1]}:", "  matt:", 1)
    (tmp_path / "mine.yaml").write_text(f'{first}"disc":\n{second}', "utf-8")
    told = np.zeros((32, 512), np.uint8)
    told[8:24, 8:24] = 1
    made = {
        word: painter(Image.fromarray(told), words=f"disc: {word}", tags=str(tmp_path / "mine.yaml"))
        for word in ("glossy", "matt")
    }
    assert list(made["matt"].notices()) == ["of the words was understood: disc: matt"]
    glossy, matt = (made[word].value.values.astype(int) for word in ("glossy", "matt"))
    apart = np.abs(glossy - matt).mean(2)
    assert apart[told == 1].mean() > 5 and apart[:, 300:].max() <= 1
    with pytest.raises(ValueError, match="no tag that disc can have; did you mean 'glossy'"):
        painter(Image.fromarray(told), words="disc: glosy", tags=str(tmp_path / "mine.yaml"))


def test_tags_are_said_at_the_command_line_and_a_wrong_one_is_refused(
    painter: Any, tmp_path: Path, gannet_command: Any
) -> None:
    painter.save_pretrained(tmp_path / "model")
    name = read_tags(tmp_path / "model" / "tags.yaml", painter.classes, 8)["disc"].names[0]
    Image.fromarray(np.ones((32, 32), np.uint8)).save(tmp_path / "map.png")
    given = ("apply", tmp_path / "model", tmp_path / "map.png", "--words")
    ended = gannet_command(*given, f"disc: {name}", "--out", tmp_path / "made.png")
    assert ended.code == 0 and f"disc: {name}" in ended.out + ended.err
    for words in ("disc: glosy", "b" * 1_001):
        ended = gannet_command(*given, words, "--out", tmp_path / "none.png")
        assert ended.code == 2 and len(ended.err.strip().splitlines()) == 1, ended.err
        assert not (tmp_path / "none.png").exists()
