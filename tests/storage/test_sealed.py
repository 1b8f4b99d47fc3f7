import base64
import traceback
from pathlib import Path

import pytest

from app.storage.sealed import CannotOpen, KeyRefused, Sealer, new_key, read_keys

OLD, NEW = bytes(range(32)), bytes(range(100, 132))
PLACE = "turns/1"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "encryption.key"
    file.touch(mode=0o600)
    return file


@pytest.mark.parametrize("value", [b"", b"words", bytes(1000)])
def test_what_is_sealed_opens_in_its_place(sealer: Sealer, value: bytes) -> None:
    sealed = sealer.seal(value, PLACE)

    assert value not in sealed or not value
    assert sealer.open(sealed, PLACE) == value


def test_the_same_value_never_looks_the_same(sealer: Sealer) -> None:
    assert sealer.seal(b"words", PLACE) != sealer.seal(b"words", PLACE)


@pytest.mark.parametrize("place", ["turns/2", "exchanges/1", "", "turns/1 "])
def test_another_place_does_not_open_it(sealer: Sealer, place: str) -> None:
    sealed = sealer.seal(b"words", PLACE)

    with pytest.raises(CannotOpen):
        sealer.open(sealed, place)


def test_no_byte_can_be_changed(sealer: Sealer) -> None:
    sealed = sealer.seal(b"words", PLACE)

    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(CannotOpen):
            sealer.open(bytes(changed), PLACE)


def test_nothing_can_be_cut_off(sealer: Sealer) -> None:
    sealed = sealer.seal(b"words", PLACE)

    for length in range(len(sealed)):
        with pytest.raises(CannotOpen):
            sealer.open(sealed[:length], PLACE)


def test_an_old_key_opens_and_the_newest_seals() -> None:
    before, between, after = Sealer([OLD]), Sealer([NEW, OLD]), Sealer([NEW])
    old = before.seal(b"old", PLACE)

    new = between.seal(b"new", PLACE)

    assert between.open(old, PLACE) == b"old"
    assert after.open(new, PLACE) == b"new"
    for sealer, foreign in ((before, new), (after, old)):
        with pytest.raises(CannotOpen):
            sealer.open(foreign, PLACE)


def test_fingerprints_outlive_a_rotation_and_differ_between_services() -> None:
    mark = Sealer([OLD]).fingerprint(b"words")

    assert mark == Sealer([NEW, OLD]).fingerprint(b"words")
    assert mark != Sealer([NEW]).fingerprint(b"words")
    assert mark != Sealer([OLD]).fingerprint(b"other words")
    assert len(mark) == 32


def test_a_ring_is_read_in_the_order_of_its_file(key_file: Path) -> None:
    lines = [base64.b64encode(key).decode() for key in (NEW, OLD)]
    key_file.write_text("\n".join(lines) + "\n")

    assert read_keys(key_file) == (NEW, OLD)


def test_a_new_key_is_fit_for_a_key_file(key_file: Path) -> None:
    key_file.write_text(new_key() + "\n")

    assert [len(key) for key in read_keys(key_file)] == [32]
    assert new_key() != new_key()


SECRET = base64.b64encode(NEW).decode()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "must hold keys of 32 bytes"),
        ("\n\n", "must hold keys of 32 bytes"),
        (base64.b64encode(NEW[:31]).decode(), "must hold keys of 32 bytes"),
        (base64.b64encode(NEW * 2).decode(), "must hold keys of 32 bytes"),
        (f"{SECRET}\n{base64.b64encode(NEW[:16]).decode()}", "must hold keys of 32 bytes"),
        (SECRET[:-1], "does not hold base64 keys"),
        (f"{SECRET}\n{SECRET[:10]}!{SECRET[11:]}", "does not hold base64 keys"),
        (f"{SECRET}é", "cannot be read"),
    ],
)
def test_a_key_file_that_cannot_be_used_is_refused_without_its_keys(
    key_file: Path, content: str, reason: str
) -> None:
    key_file.write_text(content)

    with pytest.raises(KeyRefused, match=reason) as caught:
        read_keys(key_file)

    shown = "".join(traceback.format_exception(caught.value))
    assert not any(part in shown for part in (SECRET[:10], SECRET[11:30], repr(NEW[:8])))


def test_an_absent_key_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyRefused, match="cannot be read"):
        read_keys(tmp_path / "absent")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620, 0o601])
def test_a_key_file_that_others_may_open_is_refused(key_file: Path, mode: int) -> None:
    key_file.write_text(SECRET)
    key_file.chmod(mode)

    with pytest.raises(KeyRefused, match="chmod 600"):
        read_keys(key_file)
