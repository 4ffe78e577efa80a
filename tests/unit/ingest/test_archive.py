"""zip and gz: members in Chinese, limits, and what is refused."""

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from jobs.errors import DeliveryError
from jobs.ingest import archive
from tests.unit.ingest.test_delimited import contract, kinds, values
from tests.unit.ingest.test_excel import read_file


def zipped(members: dict[str, bytes]) -> bytes:
    """A zip of these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in members.items():
            target.writestr(name, content)
    return buffer.getvalue()


def test_members_are_read_one_after_another_and_others_ignored(tmp_path: Path) -> None:
    content = zipped(
        {"2024/一月.csv": b"a,b\n1,2\n", "b.csv": b"b,a\n4,3\n", "说明.txt": b"x", "__MACOSX/._b.csv": b"", "dir/": b""}
    )
    (tmp_path / "d.zip").write_bytes(content)
    rows, reading = read_file(tmp_path / "d.zip", contract("a", "b", files="*.csv"))
    assert values(rows, "a", "b", "_file", "_row") == [
        ("1", "2", "d.zip/2024/一月.csv", 2),
        ("3", "4", "d.zip/b.csv", 2),
    ]
    assert "member_ignored" in kinds(reading)
    assert [p.name for p in tmp_path.iterdir()] == ["d.zip"]


def test_gbk_member_names_without_the_flag(tmp_path: Path) -> None:
    name = "一月.csv".encode("gbk")
    content = zipped({"x" * len(name): b"a\n1\n"}).replace(b"x" * len(name), name)
    (tmp_path / "d.zip").write_bytes(content)
    rows, _ = read_file(tmp_path / "d.zip", contract("a"))
    assert rows[0]["_file"] == "d.zip/一月.csv"


def test_gz_and_one_nested_level(tmp_path: Path) -> None:
    (tmp_path / "d.csv.gz").write_bytes(gzip.compress(b"a\n1\n"))
    rows, _ = read_file(tmp_path / "d.csv.gz", contract("a"))
    assert values(rows, "a", "_file") == [("1", "d.csv.gz/d.csv")]
    (tmp_path / "n.zip").write_bytes(
        zipped({"in.zip": zipped({"a.csv": b"a\n1\n"}), "b.csv.gz": gzip.compress(b"a\n2\n")})
    )
    rows, _ = read_file(tmp_path / "n.zip", contract("a", files="*.csv"))
    assert values(rows, "a", "_file") == [("1", "n.zip/in.zip/a.csv"), ("2", "n.zip/b.csv.gz/b.csv")]


def test_too_deep_is_refused(tmp_path: Path) -> None:
    content = zipped({"a.csv": b"a\n1\n"})
    for level in range(2):
        content = zipped({f"{level}.zip": content})
    (tmp_path / "d.zip").write_bytes(content)
    with pytest.raises(DeliveryError, match="嵌套超过 2 层"):
        read_file(tmp_path / "d.zip", contract("a"))


def test_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "d.zip").write_bytes(zipped({"a.csv": b"0" * (4 << 20)}))
    monkeypatch.setattr(archive, "RATIO_COUNTS_FROM", 1 << 20)
    with pytest.raises(DeliveryError, match="压缩炸弹"):
        read_file(tmp_path / "d.zip", contract("a"))
    monkeypatch.setattr(archive, "MAX_TOTAL_BYTES", 1 << 20)
    with pytest.raises(DeliveryError, match="解压后超过 1 MiB"):
        read_file(tmp_path / "d.zip", contract("a"))
    monkeypatch.setattr(archive, "MAX_MEMBERS", 0)
    with pytest.raises(DeliveryError, match="超过 0 个"):
        read_file(tmp_path / "d.zip", contract("a"))
    assert [p.name for p in tmp_path.iterdir()] == ["d.zip"]


def test_encrypted_and_broken_archives_are_refused(tmp_path: Path) -> None:
    content = bytearray(zipped({"a.csv": b"a\n1\n"}))
    content[6] |= 1
    content[content.find(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "d.zip").write_bytes(bytes(content))
    with pytest.raises(DeliveryError, match="加密"):
        read_file(tmp_path / "d.zip", contract("a"))
    (tmp_path / "d.gz").write_bytes(gzip.compress(b"a\n" + b"1\n" * 1000)[:-20])
    with pytest.raises(DeliveryError, match="损坏"):
        read_file(tmp_path / "d.gz", contract("a"))


def test_archive_without_a_wanted_member_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d.zip").write_bytes(zipped({"readme.txt": b"x"}))
    with pytest.raises(DeliveryError, match="没有可读取的数据文件"):
        read_file(tmp_path / "d.zip", contract("a", files="*.csv"))
