"""Building the screens: only when a source changed, and trouble with it is a sentence that stops nothing else."""

import gzip
import re
import shutil
from pathlib import Path

import pytest

from backend import screen_build
from backend.screen_build import WEB
from backend.supervisor import Trouble


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the sources, with what is installed and built already."""
    screen_build.ensure()
    copy = tmp_path / "web"
    shutil.copytree(WEB, copy, ignore=shutil.ignore_patterns("node_modules"))
    (copy / "node_modules").symlink_to(WEB / "node_modules")
    monkeypatch.setattr(screen_build, "WEB", copy)
    return copy


def test_it_is_built_once_until_a_source_changes_and_a_mistake_leaves_the_old_screens(web):
    before = (web / "dist/phone/sw.js").read_bytes()
    assert screen_build.ensure() is False
    page = web / "phone/screens/today/Today.vue"
    right = page.read_text()
    page.write_text(right.replace("<template>", "<template><b hidden></b>", 1))
    assert screen_build.ensure() is True
    built = (web / "dist/phone/sw.js").read_bytes()
    assert built != before
    for path in (web / "dist/phone/assets").glob("*.js"):  # made anew, or taken from the build before
        assert gzip.decompress(path.with_suffix(".js.gz").read_bytes()) == path.read_bytes()
        assert path.with_suffix(".js.br").is_file()
    assert screen_build.ensure() is False
    page.write_text(right.replace("<template>", "<template><b>", 1))
    with pytest.raises(Trouble, match="vite 没有成功") as told:
        screen_build.ensure()
    assert "Today.vue" in str(told.value)
    assert (web / "dist/phone/sw.js").read_bytes() == built


def test_what_cannot_be_fetched_is_a_sentence(web, capsys):
    (web / "node_modules").unlink()
    (web / "package-lock.json").write_text("{}")
    screen_build.try_to_ensure()
    told = capsys.readouterr().out
    assert "手机端页面没有构建好，其余照常启动。下载失败：请检查网络或 npm 镜像设置" in told


def test_the_lock_names_no_registry():
    text = (WEB / "package-lock.json").read_text()
    assert '"integrity": "sha512-' in text and "registry" not in text
    assert set(re.findall(r'"resolved": "(.*?)"', text)) <= {"build/no-canvas"}  # a folder of ours, no address
