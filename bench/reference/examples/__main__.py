"""
Runs the twins of notebooks/examples at the sizes of the tests and records weights and losses:

    python bench/reference/examples test/notebooks/fixtures/examples
"""

import pathlib
import subprocess
import sys

SIZES = {
    "character_gpt": "--context 16 --features 16 --heads 2 --layers 1 --batch 4",
    "sequence_to_sequence": "--features 16 --heads 2 --layers 1 --batch 4",
    "cnn": "--channels 4 --batch 8",
    "lstm": "--hidden 8 --batch 4",
    "variational_autoencoder": "--channels 2 --batch 4",
}
folder, own = pathlib.Path(sys.argv[1]), pathlib.Path(__file__).parent
folder.mkdir(parents=True, exist_ok=True)
for name, sizes in SIZES.items():
    command = [sys.executable, own / f"{name}.py", *sizes.split(), "--steps", "10", "--record", folder]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
