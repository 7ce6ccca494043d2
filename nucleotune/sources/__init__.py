"""The one way in for every external file: registry, download, mirror, verification, sha256 lock."""
