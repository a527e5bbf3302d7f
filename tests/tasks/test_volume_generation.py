"""Volume generation: volumes with their labels, seen together, drawn together, written together."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.ndimage import label

import gannet
from gannet.commands.train import prepare, split_of
from gannet.media.nifti import read_nifti
from gannet.metrics.copies import shrunk
from gannet.metrics.judgement import Judgement
from gannet.metrics.options import JudgeOptions
from gannet.pipelines.samples import latents
from gannet.recipe import Data, Recipe, dump_yaml, load_recipe
from gannet.schema import Choice
from gannet.tasks import volume_generation
from gannet.tasks.volume_generation import evaluation, regions
from gannet.tasks.volume_generation.game import decided, seen_together
from gannet.tasks.volume_generation.pipeline import Description, Settings, VolumeGenerationPipeline
from gannet.tasks.volume_generation.regions import decide_in_pieces, usual_pieces

nibabel: Any = pytest.importorskip("nibabel")


@pytest.fixture(scope="module")
def model() -> VolumeGenerationPipeline:
    """An untrained generator of volumes of 12x8x16 with two regions, numbered 17 and 53."""
    torch.manual_seed(0)
    description = Description(
        name="scans",
        shape=(1, 12, 8, 16),
        spacing=(1, 1.5, 2),
        regions=(0, 17, 53),
        names=("none", "left", "right"),
        pieces=(0, 0),
        holes=None,
    )
    network = Choice(name="volumes", width=4, latent=8)
    settings = Settings(description=description, network=network, conditional=False, data=volume_generation.Data())
    made = VolumeGenerationPipeline.build(settings)
    torch.nn.init.normal_(made.networks["generator"].paint.weight)
    return made


def write_scans(folder: Path, count: int = 4, labels: str = "labels") -> Path:
    """Pairs of NIfTI files, in which region 5 is where it is bright."""
    random = np.random.default_rng(0)
    for number in range(count):
        scan = random.integers(0, 100, (10, 10, 10)).astype(np.uint8)
        for name, values in (("images", scan), (labels, 5 * (scan > 50).astype(np.uint8))):
            (folder / name).mkdir(parents=True, exist_ok=True)
            nibabel.save(nibabel.Nifti1Image(values, np.diag([2, 2, 2, 1])), folder / name / f"{number}.nii.gz")
    return folder


def renumber(folder: Path, numbers: Mapping[int, int], names: Sequence[str] = ()) -> None:
    """Give regions of label volumes, by default of all, other numbers."""
    for path in (folder / "labels").iterdir():
        found = nibabel.load(path)
        values = np.asarray(found.dataobj).copy()
        for before, after in numbers.items():
            values[values == before] = after
        if not names or path.name in names:
            nibabel.save(nibabel.Nifti1Image(values, found.affine), path)


def recipe(source: Path, **options: Any) -> Recipe:
    given = Recipe(name="scans", task=Choice(name="volume-generation", **options), network=Choice(name="volumes"))
    return given.model_copy(update={"data": Data(source=str(source), size=[8, 8, 8])})


def test_voxels_are_seen_with_the_region_that_each_is_of() -> None:
    volume = torch.rand(2, 1, 2, 2, 2)
    labels = torch.tensor([0, 17, 53, 17, 0, 0, 53, 99]).view(1, 2, 2, 2).expand(2, -1, -1, -1)
    seen = seen_together((0, 17, 53))({"volume": volume, "labels": labels})
    assert torch.equal(seen[:, :1], volume)
    assert seen[0, 1:].flatten(1).argmax(0).tolist() == [0, 1, 2, 1, 0, 0, 2, 0], "an unknown number is of no region"
    assert torch.equal(seen[:, 1:].sum(1), torch.ones(2, 2, 2, 2))
    assert seen_together(())({"volume": volume}) is volume


def test_regions_are_decided_for_and_descend_as_the_softmax_does() -> None:
    logits = torch.randn(2, 3, 2, 2, 2, requires_grad=True)
    weight = torch.randn_like(logits)
    made = decided(logits)
    assert set(made.detach().unique().tolist()) == {0.0, 1.0} and torch.equal(made.argmax(1), logits.argmax(1))
    (found,) = torch.autograd.grad((made * weight).sum(), logits)
    (soft,) = torch.autograd.grad((logits.softmax(1) * weight).sum(), logits)
    torch.testing.assert_close(found, soft)


def test_labels_are_learned_where_the_data_have_them_or_where_they_are_asked_for(tmp_path: Path) -> None:
    found = prepare(recipe(write_scans(tmp_path)))
    assert found.recipe.task.options["labels"] is True and found.description.regions == (0, 5)
    assert found.description.shape == (1, 8, 8, 8) and found.description.spacing == (2, 2, 2)
    alone = prepare(recipe(tmp_path / "images"))
    assert alone.recipe.task.options["labels"] is False and alone.description.regions == ()
    with pytest.raises(ValueError, match="give the folder images within it"):
        prepare(recipe(tmp_path, labels=False))
    with pytest.raises(ValueError, match="holds no pairs"):
        prepare(recipe(tmp_path / "images", labels=True))


def test_what_is_fine_tuned_keeps_the_regions_of_its_model_by_their_numbers(
    model: VolumeGenerationPipeline, tmp_path: Path
) -> None:
    renumber(write_scans(tmp_path / "known"), {5: 17})
    adopted = volume_generation.adopt(recipe(tmp_path / "known"), model.settings)
    found = prepare(adopted)
    assert found.description.regions == (0, 17, 53) and found.recipe.task.options["regions"] == [0, 17, 53]
    unknown = volume_generation.adopt(recipe(write_scans(tmp_path / "unknown")), model.settings)
    with pytest.raises(ValueError, match=r"hold the number 5, which is none of .* \(0, 17, 53\); number them alike"):
        prepare(unknown)


def test_a_region_that_nobody_looked_at_is_told_by_file_and_number_and_learned_where_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regions, "MOST_LOOKED_AT", 2)
    renumber(write_scans(tmp_path, 8), {5: 9}, ["1.nii.gz"])
    found = prepare(recipe(tmp_path))
    assert found.description.regions == (0, 5)
    split = split_of(found)
    assert len(split.training) + len(split.held_out) == 7
    (note,) = split.notes
    assert "1.nii.gz" in note and "holds the number 9, which is none of the regions that are learned (0, 5)" in note
    named = prepare(recipe(tmp_path, regions=[5, 9]))
    assert named.description.regions == (0, 5, 9) and split_of(named).notes == ()


def test_regions_have_as_many_pieces_as_nine_of_ten_scans_have() -> None:
    whole, halved, stray = (np.zeros((8, 8, 8), np.uint8) for _ in range(3))
    whole[1:4], halved[1:3], halved[5:7], stray[1:3], stray[4, 4, 4], stray[7, 7, 7] = 1, 1, 1, 1, 1, 1
    whole[7, 7, 7] = 2
    assert usual_pieces([whole] * 9 + [stray], (1, 2)) == (0, (1, 1))
    assert usual_pieces([whole] * 7 + [halved] * 3, (1,)) == (0, (2,)), "what reaches the edge is no hole"
    assert usual_pieces([stray] * 3, (1, 2)) == (0, (3, 1)), "a region that no scan has is of one piece"


def test_there_are_as_many_holes_as_nine_of_ten_scans_have() -> None:
    whole = np.zeros((8, 8, 8), np.uint8)
    whole[1:7, 1:7, 1:7] = 1
    hollow, notched = whole.copy(), whole.copy()
    hollow[2:4, 2, 2] = hollow[5, 5, 5] = notched[1:4, 3, 3] = 0
    assert [usual_pieces([one], (1,))[0] for one in (whole, hollow, notched, np.ones_like(whole))] == [0, 2, 0, 0]
    assert usual_pieces([whole] * 9 + [hollow], (1,))[0] == 0 and usual_pieces([whole] * 8 + [hollow] * 2, (1,))[0] == 2


def test_a_hole_is_of_what_is_likeliest_of_the_regions_that_it_touches() -> None:
    """Region 1 holds one voxel that is none and one beside region 2; what reaches the edge is no hole."""
    logits = torch.zeros(1, 4, 12, 8, 8)
    logits[:, 1, 1:6, 1:7, 1:7] = logits[:, 2, 6:11, 1:7, 1:7] = 2
    logits[:, 0] = 1
    logits[:, 0, 3, 3, 3] = logits[:, 0, 5, 5, 4:6] = logits[:, 0, 8, :4, 4] = 5
    logits[:, 1, 3, 3, 3] = logits[:, 1, 5, 5, 4:6] = 0
    logits[:, 3, 3, 3, 3], logits[:, 2, 5, 5, 4:6] = 4, 1
    drawn, (none, one, two) = logits.argmax(1), (decide_in_pieces(logits, (0, 0, 0), most) for most in (0, 1, None))
    assert torch.equal(two, drawn)
    assert one[0, 3, 3, 3] == none[0, 3, 3, 3] == 1, "region 3 is likeliest there, but would be a stray voxel"
    assert (one[0, 5, 5, 4:6] == 0).all() and (none[0, 5, 5, 4:6] == 2).all()
    assert (none != drawn).sum() == 3


def test_stray_voxels_are_of_what_is_likeliest_beside_their_region() -> None:
    """Region 1 has two boxes and a voxel within region 2, which is likely there, and one within what is none."""
    logits = torch.zeros(1, 3, 12, 8, 8)
    logits[:, 0] = 1
    logits[:, 1, :4, :4, :4] = logits[:, 1, :3, 6:, 6:] = logits[:, 2, 6:] = 2
    logits[:, 1, 8, 4, 4] = logits[:, 1, 5, 0, 7] = 3
    drawn, (one, two, any_) = (
        logits.argmax(1),
        (decide_in_pieces(logits, most, None) for most in ((1, 1), (2, 1), (0, 0))),
    )
    assert torch.equal(any_, drawn) and (drawn == 1).sum() == 64 + 12 + 2
    assert (two == 1).sum() == 64 + 12 and (one == 1).sum() == 64 and (one[:, :4, :4, :4] == 1).all()
    assert one[0, 8, 4, 4] == two[0, 8, 4, 4] == 2 and one[0, 5, 0, 7] == 0
    assert torch.equal(one == 2, logits[:, 2] > 1), "no voxel of another region is lost"


def test_a_volume_and_its_labels_are_drawn_once(model: VolumeGenerationPipeline) -> None:
    drawn, batches = list[object](), model.batches(model.options({"num": 3, "seed": 1}))
    hook = model.networks["generator"].register_forward_hook(lambda *_: drawn.append(1))
    try:
        pairs = [(batches.makes[number](), batches.further["labels"].makes[number]()) for number in range(3)]
    finally:
        hook.remove()
    assert len(drawn) == 3 and not torch.equal(pairs[0][1], pairs[1][1])
    samples = model(num=3, seed=1)
    assert torch.equal(torch.cat([labels for _, labels in pairs]), samples.further["labels"].together())


def test_what_a_model_labels_is_in_one_piece_unless_data_or_recipe_say_otherwise(
    model: VolumeGenerationPipeline, tmp_path: Path
) -> None:
    known = model.settings.description.model_dump(exclude={"pieces", "holes"})
    silent = Description.model_validate(known)
    earlier = Description.model_validate({**known, "pieces": (0, 0)})  # Of a model from before holes were counted.

    def labels(description: Description) -> torch.Tensor:
        settings = model.settings.model_copy(update={"description": description})
        return VolumeGenerationPipeline(settings, model.networks)(num=2, seed=1).further["labels"].together()

    tidy = labels(silent)
    drawn = model(num=2, seed=1).further["labels"].together()
    assert max(label(one == region)[1] for one in drawn.numpy() for region in (17, 53)) > 1
    assert [label(one == region)[1] for one in tidy.numpy() for region in (17, 53)] == [1] * 4
    assert all(usual_pieces([one], ())[0] == 0 for one in tidy.numpy())
    assert torch.equal(labels(earlier), drawn), "where all pieces are kept, holes are, too"
    write_scans(tmp_path)
    kept, found = (prepare(recipe(tmp_path, pieces=pieces)).description for pieces in ("any", "auto"))
    assert (kept.pieces, kept.holes) == ((0,), None)
    assert found.pieces[0] > 1 and found.holes, "what is bright of noise falls to pieces, and has holes"


def test_what_cannot_be_learned_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"classes are sub-folders, and .* has pairs, which have none"):
        prepare(recipe(write_scans(tmp_path / "pairs"), conditional=True))
    with pytest.raises(ValueError, match="cutout is not done to volumes"):
        found = prepare(load_recipe("volumes", {"augment": {"name": "fixed", "kinds": ["cutout"]}, "data.size": 8}))
        volume_generation.game(found.recipe, found.description)
    for file in (tmp_path / "pairs" / "labels").iterdir():
        nibabel.save(nibabel.Nifti1Image(np.zeros((10, 10, 10), np.uint8), np.eye(4)), file)
    with pytest.raises(ValueError, match="label nothing; set task.labels=false"):
        prepare(recipe(tmp_path / "pairs"))


def test_a_volume_is_the_same_whatever_the_number_and_its_labels_are_of_it(model: VolumeGenerationPipeline) -> None:
    many, few = model(num=3, seed=1), model(num=1, seed=1)
    assert torch.equal(many.values[:1], few.values) and not torch.equal(many.values[0], many.values[1])
    labels = many.further["labels"].together()
    assert labels.shape == (3, 12, 8, 16) and set(labels.unique().tolist()) == {0, 17, 53}
    generator: Any = model.generator
    logits = generator(latents(generator, 1, 0, 1))[:, 1:]
    assert torch.equal(torch.tensor([0, 17, 53])[logits.argmax(1)], labels[:1])


def test_volumes_are_written_with_their_labels_and_say_that_they_are_synthetic(
    model: VolumeGenerationPipeline, tmp_path: Path, gannet_command: Callable[..., Any]
) -> None:
    folder = model.save_pretrained(tmp_path / "model")
    ended = gannet_command("apply", folder, "--num", 2, "--out", tmp_path / "made", "--json")
    assert ended.code == 0 and json.loads(ended.out)["result"], ended.err
    names = ["000000.labels.nii.gz", "000000.nii.gz", "000001.labels.nii.gz", "000001.nii.gz"]
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == names
    for name in names:
        found = nibabel.load(tmp_path / "made" / name)
        assert found.shape == (12, 8, 16) and nibabel.aff2axcodes(found.affine) == ("R", "A", "S")
        np.testing.assert_allclose(found.header.get_zooms(), (1, 1.5, 2))
        middle = found.affine @ [*((np.array(found.shape) - 1) / 2), 1]
        np.testing.assert_allclose(middle, [0, 0, 0, 1], atol=1e-6)
        assert b"synthetic, not for diagnosis" in bytes(found.header["descrip"])
    labels = read_nifti((tmp_path / "made" / names[0]).read_bytes()).values
    drawn = gannet.load(folder)(num=1).further["labels"].together()[0]
    assert np.array_equal(labels, drawn.numpy())


def test_the_help_of_a_model_says_that_labels_are_written_beside_its_volumes(
    model: VolumeGenerationPipeline, tmp_path: Path, gannet_command: Callable[..., Any]
) -> None:
    for target in (model.save_pretrained(tmp_path / "model"), "hippocampus-v1"):
        words = " ".join(gannet_command("apply", target, "--help").out.split())
        assert "labels (label-volume), beside it" in words and "--save" not in words


@pytest.mark.parametrize(
    ("num", "name", "words"),
    [
        (1, "a.mgz", "1 volume is saved as .nii.gz, .nii, or goes to a folder or a .zip, or into a picture (.png,"),
        (2, "one.nii", "2 volumes go to a folder or a .zip, or into a picture (.png,"),
    ],
)
def test_where_volumes_cannot_go_is_told_with_where_they_can(
    num: int, name: str, words: str, model: VolumeGenerationPipeline, tmp_path: Path, gannet_command: Callable[..., Any]
) -> None:
    ended = gannet_command("apply", model.save_pretrained(tmp_path / "model"), "--num", num, "--out", tmp_path / name)
    assert ended.code == 2 and f"{name}: {words}" in ended.err and "name one of these" in ended.err
    with pytest.raises(ValueError, match="name one of these"):
        model(num=num).save(tmp_path / name)
    assert not (tmp_path / name).exists()


def test_a_run_is_judged_by_its_voxels_and_by_what_it_labels(tmp_path: Path) -> None:
    example = volume_generation.example()
    never = dict.fromkeys(("referee.every", "log.sheet_every", "checkpoint.every"), 10**6)
    (tmp_path / "example.yaml").write_text(dump_yaml(example))
    gannet.train(str(tmp_path / "example.yaml"), out=tmp_path / "run", set={"images": 64, **never})
    judged = gannet.judge(tmp_path / "run", query=JudgeOptions(fast=True))
    found = {measure.name: measure for measure in judged.measures}
    anatomy = found["volume (mm3) of core"]
    assert anatomy.features == "label volumes" and anatomy.best == "low"
    assert anatomy.value > anatomy.floor, "what has learned nothing labels as reals do"
    assert "sliced wasserstein distance" in found
    with pytest.raises(ValueError, match="makes volumes"):
        gannet.judge(tmp_path / "run", query=JudgeOptions(utility=True))
    with pytest.raises(ValueError, match=r"others: the label volumes hold the number 5, which is none of .* \(0, "):
        gannet.judge(tmp_path / "run", write_scans(tmp_path / "others"), query=JudgeOptions(fast=True))


def described(side: int, labelled: int) -> Description:
    return Description(name="scans", shape=(1, side, side, side), spacing=(1, 1, 1), regions=tuple(range(labelled)))


def test_of_large_volumes_fewer_are_held_and_looked_at_at_once() -> None:
    """Their values stay within bounds, and what is small is looked at as ever."""
    assert volume_generation.audited(described(40, 3)) == 64 and evaluation.part_of(described(40, 3)) == 16
    for side, labelled in ((64, 3), (96, 3), (128, 3)):
        count, part = (
            volume_generation.audited(described(side, labelled)),
            evaluation.part_of(described(side, labelled)),
        )
        assert 8 <= count <= 64 and count * (1 + labelled) * side**3 <= 2**26
        assert 1 <= part <= 16 and part * side**3 <= 2**22
    assert volume_generation.audited(described(128, 60)) == 8


def test_volumes_drawn_in_parts_have_the_same_features_and_copies_of_large_ones_are_told_by_less() -> None:
    volumes = torch.rand(5, 1, 8, 8, 8)
    makes = [partial(torch.clone, one[None]) for one in volumes]
    looked, kept = evaluation._drawn(makes, lambda some: some.flatten(1), 2)
    assert torch.equal(looked, volumes.flatten(1)) and torch.equal(kept, volumes)
    large = torch.rand(1, 1, 128, 64, 32)
    few = evaluation.small(large)
    assert few.shape == (1, 1, 64, 32, 16)
    torch.testing.assert_close(few[0, 0, 3, 5, 7], large[0, 0, 6:8, 10:12, 14:16].mean())
    torch.testing.assert_close(shrunk(few, 16), shrunk(large, 16))


class Side:
    """Samples of one side, given at once."""

    def __init__(self, volumes: torch.Tensor) -> None:
        self.volumes = volumes

    def parts(self, size: int, most: int) -> list[dict[str, torch.Tensor]]:  # noqa: ARG002
        return [{"volume": self.volumes[:most]}]


def test_a_judgement_tells_of_volumes_that_are_given_back_mirrored_or_why_nobody_looked() -> None:
    generator = torch.Generator().manual_seed(0)
    known, held_out = (torch.rand(count, 1, 8, 8, 8, generator=generator) for count in (56, 4))
    before = Judgement([], left_out={"memorization": "not known", "distances": "too few"})
    found = evaluation._audited(before, known[:10].flip(-1), (Side(known), Side(held_out)), 500)
    assert found.memorization is not None and found.memorization.memorizes
    assert found.memorization.pairs[:, 0].tolist() == found.memorization.pairs[:, 1].tolist()
    assert set(found.left_out) == {"distances"}
    few = evaluation._audited(before, known[:10], (Side(known[:49]), Side(held_out)), 500)
    assert few.memorization is None and "50 training volumes; there are 49" in few.left_out["memorization"]
