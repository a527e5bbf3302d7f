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
from gannet.tasks.semantic_synthesis.words import by_label, concerned, understand

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


def test_of_two_spellings_of_one_colour_one_is_shown() -> None:
    styles = seen("dimgray", each=80)
    styles[::2, 3:] += 0.9
    names = cluster_styles(styles[:, None], torch.ones(80, 1, dtype=torch.bool), ["sky"])["sky"].names
    assert {"dimgray", "dimgray-2"} < set(names) and not [name for name in names if "grey" in name]
    assert understand("sky: dimgray-2", CLASSES, {"sky": names}).tags[0].name == "dimgray-2"


def test_no_tag_is_called_as_a_label_is() -> None:
    styles = seen("snow", "navy")[:, None].expand(-1, 2, -1)
    for labels in (("sky", "snow"), ("sky", "wall")):
        found = cluster_styles(styles, torch.ones(80, 2, dtype=torch.bool), labels)
        assert ("snow" in found["sky"].names) == ("snow" not in labels)


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
        ("sky: {a storm: {share: 1, style: [0, 0]}}", "give it one word"),
        ("sky: {7: {share: 1, style: [0, 0]}}", "give it one word"),
        ("sky: {Tree: {share: 1, style: [0, 0]}}", "'tree'; give it one word .* means no label of the model"),
        ("grass: {meadow: {share: 1, style: [0, 0]}}", "'meadow'; give it one word"),
        (
            "sky: {Stormy: {share: 1, style: [0, 0]}, stormy: {share: 1, style: [1, 0]}}",
            "two styles of sky 'stormy', and capitals do not tell them apart",
        ),
        (
            "sky: {stormy: {share: 1, style: [0, 0]}, stormy: {share: 1, style: [1, 0]}}",
            "says 'stormy' twice, in lines 1 and 1",
        ),
        ("sky: {stormy: {share: 1, style: [0, 0]}}\nsky: {calm: {share: 1, style: [0, 0]}}", "says 'sky' twice"),
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
        with pytest.raises(ValueError, match="^The palette .* cannot be read: there is no such file[.]$"):
            read_palette(Path(path), CLASSES)


@pytest.mark.parametrize(
    ("sentence", "tags", "unknown"),
    [
        ("a stormy sky over green grass", {"sky": ["stormy"], "grass": ["green"]}, ()),
        ("sky: Stormy", {"sky": ["stormy"]}, ()),
        ("stormy", {"sky": ["stormy"], "grass": ["stormy"]}, ()),
        ("a stormy tree", {}, ("stormy",)),
        ("a stormy, dark sky", {"sky": ["stormy", "dark"]}, ()),
    ],
)
def test_tags_of_its_own_concern_the_labels_that_have_them(
    sentence: str, tags: dict[str, list[str]], unknown: tuple[str, ...]
) -> None:
    own = {"sky": ("stormy", "tomato"), "grass": ("stormy",)}
    found = understand(sentence, CLASSES, own)
    assert by_label({tag: concerned(tag, CLASSES, own) for tag in found.tags}) == tags and found.unknown == unknown


SKY = ("tomato", "navy", "khaki", "orchid")


@pytest.mark.parametrize("left", [SKY[1:2], SKY[:2], SKY])
def test_of_a_file_from_which_tags_were_taken_the_others_mean_what_they_meant(
    left: tuple[str, ...], tmp_path: Path
) -> None:
    counts = dict.fromkeys(SKY, 40) | {"navy": 10}
    styles = torch.cat([seen(name, each=each) for name, each in counts.items()])
    whole = cluster_styles(styles[:, None], torch.ones(len(styles), 1, dtype=torch.bool), ["sky"])
    kept = [line for line in tags_file(whole).splitlines() if line[0] == '"' or line.strip().split(":")[0] in left]
    (tmp_path / "tags.yaml").write_text("\n".join(kept))
    found = read_tags(tmp_path / "tags.yaml", ["sky"], 8)["sky"]
    assert set(found.names) == set(left)
    for name in left:
        assert torch.equal(found.of(styles, [name]), whole["sky"].of(styles, [name]))
        assert int(found.of(styles, [name]).sum()) == counts[name]


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


def disc(tmp_path: Path, **styles: list[float]) -> str:
    """A file of tags of the label disc, in the order in which they are given."""
    lines = [f"  {name}: {{share: 0.3, style: {style}}}" for name, style in styles.items()]
    (tmp_path / "mine.yaml").write_text("\n".join(["disc:", *lines]), "utf-8")
    return str(tmp_path / "mine.yaml")


def scene() -> Image.Image:
    """A disc on what lies around it."""
    told = np.zeros((32, 32), np.uint8)
    told[8:24, 8:24] = 1
    return Image.fromarray(told)


def test_a_tag_that_no_style_is_as_is_not_understood(painter: Any, tmp_path: Path) -> None:
    tags = disc(tmp_path, glossy=[0.0] * 8, far=[1.0] * 8)
    assert not painter.styles.has(1, "far", read_tags(Path(tags), painter.classes, 8)["disc"])
    plain = painter(scene()).value.values
    made = painter(scene(), words="a far disc", tags=tags)
    assert list(made.notices()) == ["of the words was understood: nothing; not understood: disc: far"]
    assert np.array_equal(made.value.values, plain)
    both = painter(scene(), words="disc: far, disc: glossy", tags=tags)
    assert list(both.notices()) == ["of the words was understood: disc: glossy; not understood: disc: far"]
    assert np.array_equal(both.value.values, painter(scene(), words="disc: glossy", tags=tags).value.values)


def test_neither_the_order_of_tags_nor_two_names_of_one_style_change_a_picture(painter: Any, tmp_path: Path) -> None:
    styles = {"glossy": [0.5] * 8, "shiny": [0.5] * 8, "matt": [-0.5] * 8}
    made = []
    for names in (("glossy", "shiny", "matt"), ("matt", "shiny", "glossy")):
        tags = disc(tmp_path, **{name: styles[name] for name in names})
        made += [painter(scene(), words=f"disc: {word}", tags=tags).value.values for word in ("glossy", "shiny")]
    assert all(np.array_equal(one, made[0]) for one in made)
    assert not np.array_equal(painter(scene(), words="disc: matt", tags=tags).value.values, made[0])


def test_capitals_of_tags_do_not_matter(painter: Any, tmp_path: Path) -> None:
    made = []
    for name in ("glossy", "Glossy", "GLOSSY"):
        tags = disc(tmp_path, **{name: [0.5] * 8}, matt=[-0.5] * 8)
        made += [painter(scene(), words=f"disc: {word}", tags=tags) for word in ("glossy", "Glossy")]
    assert all(list(one.notices()) == ["of the words was understood: disc: glossy"] for one in made)
    assert all(np.array_equal(one.value.values, made[0].value.values) for one in made)


def test_words_about_a_label_that_the_map_does_not_show_are_told_as_not_used(painter: Any) -> None:
    other = painter.classes[2]
    told = list(painter(scene(), words=f"a bright disc, a dark {other}, a purple disc").notices())
    unused = f"not used, as the map does not show it: {other}: dark"
    assert told == [f"of the words was understood: disc: bright; not understood: purple; {unused}"]
    plain, made = (painter(scene(), words=words).value.values for words in ("", f"{other}: dark"))
    assert np.array_equal(plain, made)
    assert "not used" not in " ".join(painter(scene(), words="dark").notices()), "it is said of all that is there"


def test_tags_without_words_are_refused(painter: Any, tmp_path: Path, gannet_command: Any) -> None:
    tags = disc(tmp_path, glossy=[0.5] * 8)
    for words in ("", "  "):
        with pytest.raises(ValueError, match=r"^Tags say what words mean, and no words were given; say some, too, "):
            painter(scene(), words=words, tags=tags)
    painter.save_pretrained(tmp_path / "model")
    scene().save(tmp_path / "map.png")
    given = ("apply", tmp_path / "model", tmp_path / "map.png", "--tags", tags, "--out", tmp_path / "none.png")
    ended = gannet_command(*given)
    assert ended.code == 2 and len(ended.err.strip().splitlines()) == 1 and "no words were given" in ended.err


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
