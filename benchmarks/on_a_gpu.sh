#!/bin/sh
# What a GPU does with every recipe: the tests with a device, then the tables of speed. About ten minutes.
#     sh benchmarks/on_a_gpu.sh [PATH/TO/python] > figures.txt
set -u
python=${1:-python}
"$python" -m pytest -q -m device
for precision in bf16 32; do
    for update in alternating shared; do
        echo "## precision=$precision loss.update=$update"
        "$python" benchmarks/throughput.py --device cuda --blocks 3 --seconds 3 --unet --residual \
            --set "precision=$precision" --set "loss.update=$update"
    done
done
for recipe in $("$python" -m gannet recipes --json | "$python" -c 'import json, sys
print(*json.load(sys.stdin)["result"])'); do
    echo "## $recipe"
    "$python" -m gannet bench "$recipe" --set device=cuda
done
