"""How fast, how large and how good Hordeloper is, each figure beside a peer's of the same run."""
