"""Pictures and what lies over them are changed together: one draw a sample, places for all, colours for pictures."""

from collections import Counter

import gannet_signals as signals
import pytest
import torch
from torch import Tensor

from gannet.augmentation.draws import Drawn
from gannet.augmentation.kinds import KINDS, augment, augment_aligned, choose_kinds
from gannet.media import image, label_map, points
from gannet.media.medium import Medium

MEDIA: dict[str, Medium] = {"image": image.medium, "map": label_map.medium}
COUNT, SIDE = 6, 16
EXACT = {"quarter-turn": 0.75, "flip": 0.5, "vertical-flip": 0.5, "shift": 0.25}
BENT = {"rotation": 90.0, "zoom": 3.0, "stretch": 3.0, "shear": 50.0, "perspective": 0.5, "crop": 0.2}
COLOURS = ["brightness", "contrast", "saturation", "hue"]
PIXELS = ["gamma", "noise", "speckle", "salt-and-pepper", "blur", "sharpen", "jpeg"]


def maps(seed: int = 0, height: int = SIDE, width: int = SIDE) -> Tensor:
    """Blocks of four by four pixels, of four classes."""
    blocks = torch.randint(0, 4, (COUNT, height // 4, width // 4), generator=torch.Generator().manual_seed(seed))
    return blocks.repeat_interleave(4, 1).repeat_interleave(4, 2)


def shown(numbers: Tensor) -> Tensor:
    """A grey picture made from its map."""
    return numbers[:, None].float() / 1.5 - 1


def told(pictures: Tensor) -> Tensor:
    """The map that such a picture was made from, where it is not blurred."""
    return ((pictures[:, 0] + 1) * 1.5).round().long()


def draws(count: int = COUNT, seed: int = 1) -> Drawn:
    return Drawn(count, torch.Generator().manual_seed(seed))


def changed(kinds: object, share: float = 1.0, seed: int = 1, colour: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """The map as it was, and the picture and the map that came out."""
    before = maps()
    picture = shown(before).expand(-1, 3 if colour else 1, -1, -1)
    chosen = choose_kinds(kinds, 3 if colour else 1)  # type: ignore[arg-type]
    found = augment_aligned({"image": picture, "map": before}, MEDIA, chosen, share, draws(seed=seed))
    assert list(found) == ["image", "map"] and found["map"].dtype == torch.int64
    return before, found["image"], found["map"]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", EXACT)
def test_moves_by_whole_pixels_keep_picture_and_map_together_exactly(kind: str, seed: int) -> None:
    before, picture, numbers = changed({kind: EXACT[kind]}, seed=seed)
    assert torch.equal(told(picture), numbers)
    torch.testing.assert_close(picture, shown(numbers), atol=1e-4, rtol=0)
    assert not torch.equal(numbers, before)


def test_all_exact_moves_together_keep_picture_and_map_together() -> None:
    before, picture, numbers = changed(EXACT)
    assert torch.equal(told(picture), numbers) and not torch.equal(numbers, before)


@pytest.mark.parametrize("kind", BENT)
def test_moves_between_pixels_keep_picture_and_map_together_mostly(kind: str) -> None:
    """Where a picture is blurred between two classes its level may lie nearer to a third."""
    before, picture, numbers = changed({kind: BENT[kind]})
    assert not torch.equal(numbers, before)
    wrong, unmoved = ((told(picture) != one).float().mean() for one in (numbers, before))
    assert wrong < 0.3 and wrong < 0.5 * unmoved


@pytest.mark.parametrize("kind", [*EXACT, *BENT])
def test_no_number_appears_that_was_not_there(kind: str) -> None:
    before = maps() * 80 + 5
    chosen = choose_kinds({kind: None})
    found = augment_aligned({"image": shown(maps()), "map": before}, MEDIA, chosen, 1.0, draws())
    assert set(found["map"].unique().tolist()) <= set(before.unique().tolist())


def test_255_of_what_is_nobodys_survives() -> None:
    before = torch.full((COUNT, SIDE, SIDE), 255)
    chosen = choose_kinds(["rotation", "zoom"])
    found = augment_aligned({"image": shown(maps()), "map": before}, MEDIA, chosen, 1.0, draws())
    assert torch.equal(found["map"], before)


def test_pictures_that_are_not_square_stay_with_their_maps() -> None:
    before = maps(height=16, width=32)
    chosen = choose_kinds(["flip", "vertical-flip", "shift"])
    found = augment_aligned({"image": shown(before), "map": before}, MEDIA, chosen, 1.0, draws())
    assert torch.equal(told(found["image"]), found["map"])


@pytest.mark.parametrize("kind", COLOURS)
def test_colour_acts_on_pictures_only(kind: str) -> None:
    picture = torch.rand(COUNT, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)) - 0.5
    chosen = choose_kinds([kind])
    found = augment_aligned({"image": picture, "map": maps()}, MEDIA, chosen, 1.0, draws())
    assert torch.equal(found["map"], maps()) and not torch.equal(found["image"], picture)


@pytest.mark.parametrize("kind", PIXELS)
def test_what_changes_pixels_where_they_are_leaves_maps(kind: str) -> None:
    _, picture, numbers = changed([kind])
    assert torch.equal(numbers, maps()) and not torch.equal(picture, shown(maps()))


@pytest.mark.parametrize("kind", ["elastic", "cutout"])
@pytest.mark.parametrize("before", [[], ["flip", "brightness"]])
def test_kinds_that_nothing_can_follow_are_refused_in_one_sentence(kind: str, before: list[str]) -> None:
    with pytest.raises(
        ValueError, match=rf"^{kind} changes pictures where nothing that lies over them follows; [^.]*\.$"
    ):
        changed([*before, kind])


@pytest.mark.parametrize(("medium", "plural"), [(points.medium, "points"), (signals.medium, "signals")])
def test_a_medium_without_an_augmenter_refuses_with_a_sentence(medium: Medium, plural: str) -> None:
    sample = {"image": shown(maps()), "other": torch.zeros(COUNT, 2)}
    kinds = {"image": image.medium, "other": medium}
    with pytest.raises(ValueError, match=rf"^There is no augmentation of {plural}; leave it out\.$"):
        augment_aligned(sample, kinds, choose_kinds(["flip"]), 1.0, draws())
    found = augment_aligned(sample, kinds, choose_kinds(["brightness"]), 1.0, draws())
    assert torch.equal(found["other"], sample["other"])


def test_pictures_are_changed_as_they_are_alone() -> None:
    """What lies over a picture costs no draw: a picture with a map is the picture without one."""
    picture = torch.rand(COUNT, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)) - 0.5
    chosen = choose_kinds(["flip", "rotation", "brightness", "hue", "zoom", "noise"])
    together = augment_aligned({"image": picture, "map": maps()}, MEDIA, chosen, 0.5, draws())
    alone = augment(picture, chosen, 0.5, draws())
    torch.testing.assert_close(together["image"], alone)


def test_one_draw_hits_all_parts_of_a_sample() -> None:
    """At a share of one half some samples are mirrored and some not, and each with its map."""
    count = 64
    before = maps()[:1].expand(count, -1, -1)
    chosen = choose_kinds({"flip": 1.0})
    found = augment_aligned({"image": shown(before), "map": before}, MEDIA, chosen, 0.5, draws(count))
    mirrored = [torch.equal(one, before[0].flip(1)) for one in found["map"]]
    assert torch.equal(told(found["image"]), found["map"])
    assert 10 < Counter(mirrored)[True] < 54


def test_samples_are_changed_each_by_its_own_draw() -> None:
    before = maps()[:1].expand(COUNT, -1, -1)
    chosen = choose_kinds({"shift": 0.4})
    found = augment_aligned({"image": shown(before), "map": before}, MEDIA, chosen, 1.0, draws())
    assert len({one.numpy().tobytes() for one in found["map"]}) >= COUNT - 2


@pytest.mark.parametrize(("kinds", "share"), [([], 1.0), (["flip", "rotation"], 0.0)])
def test_nothing_asked_for_changes_nothing(kinds: list[str], share: float) -> None:
    before, picture, numbers = changed(kinds, share)
    assert torch.equal(picture, shown(before)) and torch.equal(numbers, before)


def test_what_was_given_is_not_changed() -> None:
    before, picture = maps(), shown(maps())
    augment_aligned({"image": picture, "map": before}, MEDIA, choose_kinds(["flip", "gamma"]), 1.0, draws())
    assert torch.equal(before, maps()) and torch.equal(picture, shown(maps()))


def test_every_kind_is_either_followed_or_refused() -> None:
    for name in KINDS:
        sample = {"image": shown(maps()).expand(-1, 3, -1, -1), "map": maps()}
        try:
            found = augment_aligned(sample, MEDIA, choose_kinds([name]), 1.0, draws())
        except ValueError:
            continue
        assert found["map"].shape == sample["map"].shape and torch.isfinite(found["image"]).all(), name
