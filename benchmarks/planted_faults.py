"""Does the referee find out what is wrong? Ten kinds of faults are planted in small runs, and healthy runs beside them.

    GANNET_DATA=... python benchmarks/planted_faults.py --data mnist cifar10 --seeds 0 1 2 3 4
    GANNET_DATA=... python benchmarks/planted_faults.py --data fashion-mnist brain-mri/... --seeds 5 6 7 8 9

EXPECTED was written before the referee's diagnoses were. Their thresholds were chosen on seeds 0 to 4 of MNIST and
CIFAR-10; the other seeds and data sets only report.
"""

EXPECTED = {
    "learning rates ten times too high": {"divergence", "oscillation"},
    "discriminator frozen": {"discriminator-too-weak"},
    "discriminator far too wide, 200 pictures": {"discriminator-overfitting"},
    "generator without noise": {"mode-collapse"},
    "one class missing": {"modes-lost"},
    "labels shuffled": {"labels-without-meaning"},
    "values in 0..255": {"values-out-of-range"},
    "augmentation leaks": {"augmentation-leak"},
    "no normalization at a large rate": {"divergence", "oscillation"},
    "batch of 2": {"batch-too-small"},
    "healthy": {"healthy"},
}
"""What the referee is to say of each fault; where a fault shows itself in one of two ways, either."""
