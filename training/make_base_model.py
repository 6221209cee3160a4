"""Make the embedding model: multilingual-e5-small out of two packages, trimmed to Dutch. Needs no network."""

import argparse
import sys
from pathlib import Path

import pins

MODEL = Path(__file__).parent.parent / "model"


def main() -> int:
    """Exit 0 when the model was made, or was found good; 1 when a package is missing or the model fails a check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=MODEL, help="folder of the model (default: model/ of this project)")
    parser.add_argument("--check", action="store_true", help="compare the model in that folder with its origin instead")
    arguments = parser.parse_args()
    if missing := pins.unmet():
        print(pins.remedy(missing), file=sys.stderr)
        return 1
    return check(arguments.out) if arguments.check else make(arguments.out)


def make(out: Path) -> int:
    """Make the model in `out` and say how big it is."""
    from base_model import SourcesDisagree, made, write  # only now: it needs the packages that main looked for
    from e5_file import BadWeights

    try:
        model = made()
        write(model, out)
    except (BadWeights, SourcesDisagree, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    size = (out / "model.safetensors").stat().st_size
    print(f"{out}: {len(model.tokenizer):,} pieces, weights {size / 1e6:.1f} MB")
    return 0


def check(out: Path) -> int:
    """Print what the checks measured, and each one that failed."""
    from base_model_check import measured  # only now, for the same reason

    try:
        report = measured(out)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(report.lines()))
    for failure in report.failures():
        print(f"failed: {failure}", file=sys.stderr)
    return 1 if report.failures() else 0


if __name__ == "__main__":
    sys.exit(main())
