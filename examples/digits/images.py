"""Handwritten digits as files: one 8x8 image per file, in a folder named after the digit."""

from __future__ import annotations

from pathlib import Path

import numpy as np

INK = 16  # the darkest value of a pixel
SHADES = " .:+#"
HELD_BACK = 5  # every fifth image is not used for training


def write_digits(folder: Path) -> tuple[int, int]:
    """Write the 1,797 UCI digits of scikit-learn as `<train|held-back>/<digit>/<number>.pgm`.

    Returns:
        The number of images for training, and of those held back.
    """
    from sklearn.datasets import load_digits

    counts = {"train": 0, "held-back": 0}
    digits = load_digits()
    for number, (image, label) in enumerate(zip(digits.images.astype(int), digits.target)):
        part = "train" if number % HELD_BACK else "held-back"
        file = folder / part / str(label) / f"{number:04}.pgm"
        file.parent.mkdir(parents=True, exist_ok=True)
        rows = "\n".join(" ".join(f"{pixel:2}" for pixel in row) for row in image)
        file.write_text(f"P2\n8 8\n{INK}\n{rows}\n", encoding="ascii")
        counts[part] += 1
    return counts["train"], counts["held-back"]


def read_digits(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """The images of a folder, each as a row of 64 values from 0 to 1, and their labels."""
    files = sorted(folder.glob("*/*.pgm"))
    if not files:
        raise FileNotFoundError(f"no images <digit>/<number>.pgm in {folder}")
    # A plain PGM file is text: magic number, width, height, maximum value, then the pixels.
    pixels = np.array([file.read_text(encoding="ascii").split()[4:] for file in files], dtype=float)
    return pixels / INK, np.array([int(file.parent.name) for file in files])


def draw(images: np.ndarray) -> str:
    """The images side by side, as text."""
    shades = (images.reshape(-1, 8, 8) * (len(SHADES) - 1)).round().astype(int)
    lines = ["  ".join("".join(SHADES[pixel] * 2 for pixel in row) for row in across) for across in zip(*shades)]
    return "\n".join(line.rstrip() for line in lines)
