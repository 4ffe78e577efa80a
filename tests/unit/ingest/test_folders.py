"""A folder of files is one delivery, and one proposal."""

from pathlib import Path

from jobs.ingest.kinds import LocalFile, files_below
from jobs.ingest.proposal import propose


def months(folder: Path) -> Path:
    for month in range(1, 4):
        lines = [f"A{i},{month * 10 + i}" for i in range(6)]
        file = folder / "月报" / f"{month}月" / "a.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("编号,读数\n" + "\n".join(lines), "utf-8")
    (folder / "月报" / "~$b.xlsx").write_bytes(b"x")
    (folder / "月报" / ".DS_Store").write_bytes(b"x")
    return folder / "月报"


def test_files_of_a_folder_keep_their_paths(tmp_path: Path) -> None:
    assert [name for name, _ in files_below(months(tmp_path))] == ["1月/a.csv", "2月/a.csv", "3月/a.csv"]


def test_a_folder_is_judged_by_all_its_files(tmp_path: Path) -> None:
    """Each file alone would have 编号 as its key; the next month would overwrite it."""
    folder = months(tmp_path)
    alone = propose(LocalFile("a.csv", folder / "1月" / "a.csv"), "d", "p", tmp_path)
    together = propose(LocalFile("月报", folder), "d", "p", tmp_path)
    assert "primaryKey: true" in alone and "全部 6 行" in alone
    assert "primaryKey: true" not in together and "全部 18 行" in together and "mode: append" in together
