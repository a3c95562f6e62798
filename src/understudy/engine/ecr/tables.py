"""ECR's rows: what a restart of the engine must find again.

One method per question, no rules: those are `repositories`. Digests only; the bytes are in the store.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from understudy.engine.ecr.model import ExclusionFilter, ImageRecord, Registry, Repository
from understudy.engine.state import State

_MIGRATIONS = (
    """CREATE TABLE ecr_repositories (
        account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, created_at REAL NOT NULL,
        mutability TEXT NOT NULL, exclusions TEXT NOT NULL, scan_on_push INTEGER NOT NULL,
        encryption TEXT NOT NULL, policy TEXT, lifecycle TEXT, lifecycle_at REAL NOT NULL, preview TEXT,
        tags TEXT NOT NULL, id INTEGER PRIMARY KEY, UNIQUE (account, region, name))""",
    """CREATE TABLE ecr_images (
        repository INTEGER NOT NULL REFERENCES ecr_repositories (id) ON DELETE CASCADE, digest TEXT NOT NULL,
        media_type TEXT NOT NULL, artifact_type TEXT, subject TEXT, children TEXT NOT NULL,
        size_bytes INTEGER NOT NULL, pushed_at REAL NOT NULL, pulled_at REAL,
        PRIMARY KEY (repository, digest)) WITHOUT ROWID""",
    """CREATE TABLE ecr_tags (
        repository INTEGER NOT NULL, tag TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (repository, tag),
        FOREIGN KEY (repository, digest) REFERENCES ecr_images (repository, digest) ON DELETE CASCADE)
        WITHOUT ROWID""",
    "CREATE INDEX ecr_tags_digest ON ecr_tags (repository, digest)",
    """CREATE TABLE ecr_blobs (
        repository INTEGER NOT NULL REFERENCES ecr_repositories (id) ON DELETE CASCADE, digest TEXT NOT NULL,
        linked_at REAL NOT NULL, PRIMARY KEY (repository, digest)) WITHOUT ROWID""",
    """CREATE TABLE ecr_uploads (
        id TEXT PRIMARY KEY, repository INTEGER NOT NULL REFERENCES ecr_repositories (id) ON DELETE CASCADE,
        started_at REAL NOT NULL) WITHOUT ROWID""",
)
_INSERT = (
    "INSERT INTO ecr_repositories (account, region, name, created_at, mutability, exclusions, scan_on_push, "
    "encryption, policy, lifecycle, lifecycle_at, tags) VALUES (:account, :region, :name, :created_at, "
    ":mutability, :exclusions, :scan_on_push, :encryption, :policy, :lifecycle, :lifecycle_at, :tags) "
    "ON CONFLICT DO NOTHING RETURNING id"
)
_UPDATE = (
    "UPDATE ecr_repositories SET mutability = :mutability, exclusions = :exclusions, "
    "scan_on_push = :scan_on_push, encryption = :encryption, policy = :policy, lifecycle = :lifecycle, "
    "lifecycle_at = :lifecycle_at, tags = :tags WHERE id = :id"
)
_IMAGES = (
    "SELECT i.*, (SELECT json_group_array(tag) FROM ecr_tags t WHERE t.repository = i.repository "
    "AND t.digest = i.digest) AS tags FROM ecr_images i WHERE i.repository = ? "
)


class Tables:
    """Rows of one database; every method is a statement or two and takes well under a millisecond."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.transaction = state.transaction

    def open(self) -> None:
        """Creates the tables where they are missing."""
        self._state.migrate("ecr", _MIGRATIONS)

    def repository(self, registry: Registry, name: str) -> Repository | None:
        """Returns the repository, or None."""
        rows = self._state.execute(
            "SELECT * FROM ecr_repositories WHERE account = ? AND region = ? AND name = ?",
            (registry.account_id, registry.region, name),
        )
        return _repository(rows[0]) if rows else None

    def repositories(self, registry: Registry | None = None) -> list[Repository]:
        """Returns the repositories of `registry`, or all, by name."""
        if registry is None:
            rows = self._state.execute("SELECT * FROM ecr_repositories ORDER BY account, region, name")
        else:
            rows = self._state.execute(
                "SELECT * FROM ecr_repositories WHERE account = ? AND region = ? ORDER BY name",
                (registry.account_id, registry.region),
            )
        return [_repository(row) for row in rows]

    def insert_repository(self, repository: Repository) -> bool:
        """Records a new repository; False when its name is taken."""
        return bool(self._state.execute(_INSERT, _columns(repository)))

    def update_repository(self, repository: Repository) -> None:
        """Replaces what is recorded about an existing repository."""
        self._state.execute(_UPDATE, _columns(repository))

    def record_evaluation(self, repository: Repository, now: float) -> None:
        """Remembers when the lifecycle policy ran."""
        sql = "UPDATE ecr_repositories SET lifecycle_at = ? WHERE id = ?"
        self._state.execute(sql, (now, repository.key))

    def delete_repository(self, repository: Repository) -> None:
        """Forgets the repository with its images and tags."""
        self._state.execute("DELETE FROM ecr_repositories WHERE id = ?", (repository.key,))

    def preview(self, repository: Repository) -> str | None:
        """Returns the policy text of the last preview."""
        sql = "SELECT preview FROM ecr_repositories WHERE id = ?"
        rows = self._state.execute(sql, (repository.key,))
        return rows[0]["preview"] if rows else None

    def set_preview(self, repository: Repository, text: str) -> None:
        """Remembers a policy text to preview."""
        sql = "UPDATE ecr_repositories SET preview = ? WHERE id = ?"
        self._state.execute(sql, (text, repository.key))

    def images(self, repository: Repository, digest: str | None = None) -> list[ImageRecord]:
        """Returns the repository's images, newest first, or the one with `digest`."""
        if digest is None:
            rows = self._state.execute(_IMAGES + "ORDER BY pushed_at DESC, digest", (repository.key,))
        else:
            rows = self._state.execute(_IMAGES + "AND i.digest = ?", (repository.key, digest))
        return [_image(row) for row in rows]

    def tagged(self, repository: Repository, tag: str) -> str | None:
        """Returns the digest that `tag` points to."""
        sql = "SELECT digest FROM ecr_tags WHERE repository = ? AND tag = ?"
        rows = self._state.execute(sql, (repository.key, tag))
        return rows[0]["digest"] if rows else None

    def insert_image(self, repository: Repository, record: ImageRecord) -> None:
        """Records an image unless it is there; the time of the first push stays."""
        self._state.execute(
            "INSERT INTO ecr_images VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL) ON CONFLICT DO NOTHING",
            (
                repository.key,
                record.digest,
                record.media_type,
                record.artifact_type,
                record.subject,
                json.dumps(record.children),
                record.size_bytes,
                record.pushed_at,
            ),
        )

    def set_tag(self, repository: Repository, tag: str, digest: str) -> None:
        """Points `tag` to `digest`."""
        sql = (
            "INSERT INTO ecr_tags VALUES (?, ?, ?) "
            "ON CONFLICT (repository, tag) DO UPDATE SET digest = excluded.digest"
        )
        self._state.execute(sql, (repository.key, tag, digest))

    def delete_tag(self, repository: Repository, tag: str) -> None:
        """Forgets `tag`."""
        sql = "DELETE FROM ecr_tags WHERE repository = ? AND tag = ?"
        self._state.execute(sql, (repository.key, tag))

    def delete_image(self, repository: Repository, digest: str) -> None:
        """Forgets an image and its tags; the store keeps the bytes until collection."""
        sql = "DELETE FROM ecr_images WHERE repository = ? AND digest = ?"
        self._state.execute(sql, (repository.key, digest))

    def record_pull(self, repository: Repository, digest: str, now: float) -> None:
        """Remembers when an image was last pulled."""
        sql = "UPDATE ecr_images SET pulled_at = ? WHERE repository = ? AND digest = ?"
        self._state.execute(sql, (now, repository.key, digest))

    def link_blobs(self, repository: Repository, digests: Iterable[str], now: float) -> None:
        """Records that the repository has these blobs."""
        sql = (
            "INSERT INTO ecr_blobs VALUES (?, ?, ?) "
            "ON CONFLICT (repository, digest) DO UPDATE SET linked_at = excluded.linked_at"
        )
        for digest in digests:
            self._state.execute(sql, (repository.key, digest, now))

    def linked(self, repository: Repository, digest: str) -> bool:
        """Whether the repository was given this blob."""
        sql = "SELECT 1 FROM ecr_blobs WHERE repository = ? AND digest = ?"
        return bool(self._state.execute(sql, (repository.key, digest)))

    def unlink_blob(self, repository: Repository, digest: str) -> None:
        """Forgets that the repository has this blob."""
        sql = "DELETE FROM ecr_blobs WHERE repository = ? AND digest = ?"
        self._state.execute(sql, (repository.key, digest))

    def manifests(self) -> frozenset[str]:
        """Returns the digest of every image of every repository."""
        return frozenset(row["digest"] for row in self._state.execute("SELECT digest FROM ecr_images"))

    def insert_upload(self, repository: Repository, upload_id: str, now: float) -> None:
        """Records an upload in progress."""
        sql = "INSERT INTO ecr_uploads VALUES (?, ?, ?)"
        self._state.execute(sql, (upload_id, repository.key, now))

    def has_upload(self, repository: Repository, upload_id: str) -> bool:
        """Whether the upload was started in this repository and is neither complete nor cancelled."""
        sql = "SELECT 1 FROM ecr_uploads WHERE id = ? AND repository = ?"
        return bool(self._state.execute(sql, (upload_id, repository.key)))

    def delete_upload(self, upload_id: str) -> None:
        """Forgets an upload."""
        self._state.execute("DELETE FROM ecr_uploads WHERE id = ?", (upload_id,))

    def delete_uploads_before(self, limit: float) -> list[str]:
        """Forgets uploads that were started before `limit` and returns their ids."""
        rows = self._state.execute("DELETE FROM ecr_uploads WHERE started_at < ? RETURNING id", (limit,))
        return [row["id"] for row in rows]


def _columns(repository: Repository) -> Mapping[str, Any]:
    return {
        "account": repository.registry.account_id,
        "region": repository.registry.region,
        "name": repository.name,
        "created_at": repository.created_at,
        "mutability": repository.mutability,
        "exclusions": json.dumps([each.pattern for each in repository.exclusions]),
        "scan_on_push": int(repository.scan_on_push),
        "encryption": json.dumps(dict(repository.encryption)),
        "policy": repository.policy,
        "lifecycle": repository.lifecycle_policy,
        "lifecycle_at": repository.lifecycle_evaluated_at,
        "tags": json.dumps(dict(repository.tags)),
        "id": repository.key,
    }


def _repository(row: sqlite3.Row) -> Repository:
    return Repository(
        key=row["id"],
        registry=Registry(account_id=row["account"], region=row["region"]),
        name=row["name"],
        created_at=row["created_at"],
        mutability=row["mutability"],
        exclusions=tuple(ExclusionFilter(pattern=each) for each in json.loads(row["exclusions"])),
        scan_on_push=bool(row["scan_on_push"]),
        encryption=json.loads(row["encryption"]),
        policy=row["policy"],
        lifecycle_policy=row["lifecycle"],
        lifecycle_evaluated_at=row["lifecycle_at"],
        tags=json.loads(row["tags"]),
    )


def _image(row: sqlite3.Row) -> ImageRecord:
    return ImageRecord(
        digest=row["digest"],
        media_type=row["media_type"],
        size_bytes=row["size_bytes"],
        pushed_at=row["pushed_at"],
        pulled_at=row["pulled_at"],
        artifact_type=row["artifact_type"],
        subject=row["subject"],
        children=tuple(json.loads(row["children"])),
        tags=tuple(sorted(json.loads(row["tags"]))),
    )
