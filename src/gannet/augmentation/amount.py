"""How much augmentation so many pictures call for."""

FEW_PICTURES, VERY_FEW_PICTURES = 5_000, 1_000


def fitting_augmentation(count: int) -> str:
    """Give the `augment.name` for so many pictures to learn from (docs/augmentation.md has what it rests on)."""
    if count >= FEW_PICTURES:
        return "none"
    return "ada" if count >= VERY_FEW_PICTURES else "diffaugment"
