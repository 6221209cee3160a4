"""What can be set from outside. Read once, by whoever opens the desk."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT = Path(__file__).parent.parent


class Settings(BaseSettings):
    """Every setting is an environment variable with the prefix HORDELOPER_, for example HORDELOPER_CASES."""

    model_config = SettingsConfigDict(env_prefix="HORDELOPER_", frozen=True, protected_namespaces=())

    cases: Path = PROJECT / "cases"
    """The directory with one YAML file a case: the truth."""
    index: Path = PROJECT / ".index"
    """Where index generations are kept; everything in it can be rebuilt from the cases."""
    data: Path = PROJECT / ".data"
    """Where what is not a published case will live: drafts, history, audit."""
    chroma_url: str = ""
    """Address of a Chroma server, for example http://localhost:8000; empty uses Chroma inside this process."""
    model: str = str(PROJECT / "model")
    """The embedding model: a directory or a hub name."""
