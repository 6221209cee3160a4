"""The packages this folder needs, as requirements.txt pins them, and the files inside those packages."""

from importlib import metadata, resources
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def unmet() -> list[str]:
    """Requirements (`name==version`) that are missing or installed in another version, in the order of the file."""
    lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if "==" in line and not _is_met(line)]


def remedy(missing: list[str]) -> str:
    """What to say about requirements that are not met: which, and the command that installs them."""
    return f"Missing, or installed in another version: {', '.join(missing)}\nRun: pip install {' '.join(missing)}"


def packaged(package: str, path: str) -> Path:
    """A file that an installed package carries. Raises ModuleNotFoundError, or FileNotFoundError with the place."""
    file = Path(str(resources.files(package).joinpath(path)))
    if not file.is_file():
        raise FileNotFoundError(f"the package {package} has no file {path}; expected it at {file}")
    return file


def _is_met(requirement: str) -> bool:
    name, _, version = requirement.partition("==")
    try:
        installed = metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return installed.partition("+")[0] == version  # 2.13.0+cpu is a build of 2.13.0
