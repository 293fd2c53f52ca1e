"""Files as somebody with bad intentions sends them: one page takes one, of a bounded size, and its name is nowhere."""

import tempfile
from typing import Any

import pytest
from served import SITE, Served, Visitor, enrolled, serve_new

from sevenfold.service.app import app_of
from sevenfold.service.declared import declared
from sevenfold.service.headers import MOST_BYTES
from sevenfold.service.importing.reading import MOST_UPLOADED
from sevenfold.service.role import RIGHTS, Right, Role

TABLE = f"subject,visit,taken,test,value,unit\n{SITE}-001,day 1,2026-01-01 10:00,alc,1,10^9/L\n".encode()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    """A trial with one randomised subject."""
    one = serve_new(tmp_path_factory.mktemp("uploads") / "trial")
    enrolled(one, 1)
    return one


def laboratory(served: Served) -> Visitor:
    """Somebody who may send files, on the page that takes them."""
    one = served.as_a(Role.LABORATORY)
    one.get("/import")
    return one


def send(visitor: Visitor, files: Any, key: str | None = None, **said: str) -> int:
    """Send what a page of ours would not; answers the status."""
    form = {"form_key": visitor.form_key if key is None else key, "encoding": "UTF-8", "decimal": "point", **said}
    return int(visitor.client.post("/import", data=form, files=files).status_code)


def test_a_file_is_taken_from_whoever_may_with_the_sessions_key(served: Served) -> None:
    """So that the refusals below are not refusals of everything."""
    assert send(laboratory(served), {"file": ("results.csv", TABLE)}) == 200


@pytest.mark.parametrize("role", [role for role in Role if Right.IMPORT not in RIGHTS[role]])
def test_whoever_may_not_send_files_is_refused(served: Served, role: Role) -> None:
    one = served.as_a(role)
    assert send(one, {"file": ("results.csv", TABLE)}) == 403


def test_a_file_without_the_key_or_from_elsewhere_is_refused(served: Served) -> None:
    one = laboratory(served)
    for key in ("", "guessed", one.form_key + "x"):
        assert send(one, {"file": ("results.csv", TABLE)}, key) == 403
    said = {"form_key": one.form_key, "encoding": "UTF-8", "decimal": "point"}
    sent = {"Origin": "https://evil.example"}
    assert one.client.post("/import", data=said, files={"file": ("r.csv", TABLE)}, headers=sent).status_code == 403
    assert served.anybody().client.post(
        "/import", data=said, files={"file": ("r.csv", TABLE)}, follow_redirects=False
    ).status_code == 303  # fmt: skip


@pytest.mark.parametrize(
    "files",
    [
        [("file", ("a.csv", TABLE)), ("file", ("b.csv", TABLE))],
        [("file", ("a.csv", TABLE)), ("other", ("b.csv", TABLE))],
    ],
    ids=["twice", "another beside it"],
)
def test_two_files_at_once_are_refused(served: Served, files: Any) -> None:
    assert send(laboratory(served), files) == 400


def test_a_file_in_another_field_is_none(served: Served) -> None:
    assert send(laboratory(served), {"form": ("a.csv", TABLE)}) == 422


def test_a_form_without_a_file_is_told_and_one_of_another_kind_refused(served: Served) -> None:
    one = laboratory(served)
    assert one.client.post("/import", data={"form_key": one.form_key}).status_code == 400
    assert (
        one.client.post("/import", content=b"--x", headers={"Content-Type": "multipart/form-data"}).status_code == 400
    )
    assert one.client.post("/import", json={"file": "x"}).status_code == 400
    odd = {"Content-Type": "multipart/form-data; boundary=x"}
    assert one.client.post("/import", content=b"--x\r\nnonsense", headers=odd).status_code in (400, 403)
    many = [(f"f{n}", "x") for n in range(30)]
    assert one.client.post("/import", data=dict(many), files={"file": ("a.csv", TABLE)}).status_code == 400


def test_too_large_a_file_is_refused_by_its_bytes(served: Served) -> None:
    """Above our own limit in a sentence, above the server's before it is read to its end."""
    assert send(laboratory(served), {"file": ("a.csv", b"x" * (MOST_UPLOADED + 1))}) == 422
    assert send(laboratory(served), {"file": ("a.csv", b"x" * (MOST_BYTES + 1))}) == 413


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd", "C:\\windows\\x.csv", "=cmd|' /C calc'!A1.csv", "<script>alert(1)</script>.csv",
        "a\u202evsc.exe", "",
    ],
)  # fmt: skip
def test_the_name_of_a_file_is_shown_and_written_nowhere(served: Served, name: str) -> None:
    """It may be anything; a field without a name of a file is no file."""
    one = laboratory(served)
    before = {path: path.stat().st_size for path in served.folder.rglob("*") if path.suffix != ".db-wal"}
    form = {"form_key": one.form_key, "encoding": "UTF-8", "decimal": "point"}
    answer = one.client.post("/import", data=form, files={"file": (name, TABLE)})
    assert answer.status_code == (200 if name else 422)
    if name:
        assert "passwd" not in answer.text
        assert "cmd|" not in answer.text
        assert "alert(1)" not in answer.text
        assert "windows" not in answer.text
    assert before.keys() == {path for path in served.folder.rglob("*") if path.suffix != ".db-wal"}


def test_cells_that_are_code_are_shown_as_text(served: Served) -> None:
    """Escaped, shortened, and with what can't be seen made visible."""
    cells = ["<script>alert(1)</script>", "=cmd|' /C calc'!A1", "{{ 7*7 }}", "\u202egnp", "x" * 5000]
    raw = "subject,visit,test,value,unit\n" + "".join(f'"{cell}",day 1,alc,1,10^9/L\n' for cell in cells)
    page = laboratory(served).send_file(raw.encode())
    assert "<script>alert" not in page
    assert ">49<" not in page
    assert "\u202e" not in page
    assert "x" * 50 not in page


def test_a_file_is_written_to_no_disk_before_it_is_sealed(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large ones too: what the laboratory sends lies nowhere in clear."""
    rolled: list[object] = []
    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", rolled.append)
    padded = TABLE + b"\n" * (MOST_UPLOADED + 1000)
    assert send(laboratory(served), {"file": ("a.csv", padded)}) == 422
    assert send(laboratory(served), {"file": ("a.csv", TABLE + b"\n" * (MOST_UPLOADED - 1000))}) == 200
    assert rolled == []


def test_one_page_alone_takes_files(served: Served) -> None:
    """Every other form refuses one, as before."""
    one = served.as_a(Role.INVESTIGATOR)
    one.get("/import")
    for route in declared(app_of(served.room)):
        if route.method != "POST" or route.path == "/import" or route.path.startswith("/api/"):
            continue
        path = route.path.replace("{name}", f"{SITE}-001").replace("{number}", "1").replace("{of}", "1")
        path = path.replace("{visit}", "day 1").replace("{day}", "1").replace("{site}", SITE).replace("{token}", "t")
        answer = one.client.post(
            path, data={"form_key": one.form_key}, files={"file": ("a.csv", TABLE)}, follow_redirects=False
        )
        assert answer.status_code in (400, 403, 404), (path, answer.status_code)
