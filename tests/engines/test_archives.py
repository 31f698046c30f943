"""`engine add` of an .aar: each ABI that has the engine, with what lies beside it; and archives that nobody meant."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.engines.added import AddedBuild, list_added
from pocketbench.harness.engines.adding import add_engine
from tests.engines.conftest import LibraryMaker
from tests.engines.libraries import CLASSIC, EXPORTS, aar

Android = Callable[..., Path]


@pytest.fixture
def android(library: LibraryMaker) -> Android:
    """A library for Android on arm64, unless told otherwise."""
    return lambda name="libonnxruntime.so", **options: library(
        name, **{"machine": "aarch64", "libc": "bionic", **options}
    )


@pytest.fixture
def archive(tmp_path: Path) -> Callable[..., Path]:
    return lambda members, name="engine.aar": aar(tmp_path / name, members)


def add(file: Path, cache: Path, **options: Any) -> tuple[list[AddedBuild], list[str]]:
    said: list[str] = []
    return add_engine(file, cache=cache, say=said.append, **options), said


def kept(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir() if path.name != ".added.lock") if cache.exists() else []


def test_each_known_abi_that_has_the_engine_is_added(android: Android, archive: Callable[..., Path], cache: Path):
    """As Microsoft's archive is: the engine, a library for Java that calls it, and ABIs of 32 bits."""
    java = {"exports": ("JNI_OnLoad",), "imports": EXPORTS["onnxruntime"], "needs": ("libonnxruntime.so", "liblog.so")}
    members = {
        "jni/arm64-v8a/libonnxruntime.so": android(),
        "jni/arm64-v8a/libonnxruntime4j_jni.so": android("libonnxruntime4j_jni.so", **java),
        "jni/armeabi-v7a/libonnxruntime.so": b"\x7fELF of 32 bits",
        "jni/x86/libonnxruntime.so": b"\x7fELF of 32 bits",
        "jni/x86_64/libonnxruntime.so": android(machine="x86_64"),
        "headers/onnxruntime_c_api.h": b"",
    }

    builds, said = add(archive(members, "onnxruntime-android-1.30.0.aar"), cache)

    assert [(build.platform, build.version, build.libraries) for build in builds] == [
        ("android-arm64", "1.30.0", ()),
        ("android-x86_64", "1.30.0", ()),
    ]
    assert list_added(cache) == tuple(builds)
    assert said == [
        "onnxruntime-android-1.30.0.aar: left out armeabi-v7a, x86, since devices have to be arm64-v8a or x86_64"
    ]


def test_only_the_platform_asked_for_is_added(android: Android, archive: Callable[..., Path], cache: Path):
    both = archive({"jni/arm64-v8a/libonnxruntime.so": android(), "jni/x86_64/libother.so": b"not looked at"})

    (build,), _ = add(both, cache, platform="android-arm64")

    assert build.platform == "android-arm64"


def test_an_abi_without_the_engine_is_left_out(android: Android, archive: Callable[..., Path], cache: Path):
    half = archive(
        {
            "jni/arm64-v8a/libonnxruntime.so": android(),
            "jni/x86_64/libother.so": android("libother.so", machine="x86_64", exports=("other",)),
        }
    )

    assert [build.platform for build in add(half, cache)[0]] == ["android-arm64"]


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("onnxruntime-android-1.30.0.aar", "1.30.0"),
        ("litert-2.3.0-beta1.aar", "2.3.0-beta1"),
        ("litert-2.3.0-SNAPSHOT.aar", "2.3.0-SNAPSHOT"),
        ("onnxruntime-1.2-for-phones.aar", "unknown"),
        ("engine.aar", "unknown"),
    ],
)
def test_the_version_in_an_archive_s_name(
    name: str, version: str, android: Android, archive: Callable[..., Path], cache: Path
):
    (build,), _ = add(archive({"jni/arm64-v8a/libonnxruntime.so": android()}, name), cache)

    assert build.version == version


def test_the_libraries_that_it_needs_are_taken_along(android: Android, archive: Callable[..., Path], cache: Path):
    members = {
        "jni/arm64-v8a/libengine.so": android("libengine.so", needs=("libfirst.so", "liblog.so")),
        "jni/arm64-v8a/libfirst.so": android("libfirst.so", exports=("first",), needs=("libsecond.so", "libengine.so")),
        "jni/arm64-v8a/libsecond.so": android("libsecond.so", exports=("second",), libc="none"),
        "jni/arm64-v8a/libunused.so": android("libunused.so", exports=("unused",)),
    }

    (build,), _ = add(archive(members), cache)
    without = add(archive({**members, "jni/arm64-v8a/libengine.so": android("libengine.so")}), cache, replace=True)

    assert build.library.name == "libengine.so"  # as libfirst.so asks for it
    assert [library.name for library in build.libraries] == ["libfirst.so", "libsecond.so"]
    assert f"+added-{build.library.sha256[:12]}+with-" in build.engine_id
    assert build.size_bytes > sum(library.size_bytes for library in build.libraries)
    assert "+with-" not in without[0][0].engine_id


def test_other_libraries_beside_it_are_another_build(android: Android, archive: Callable[..., Path], cache: Path):
    engine = android("libengine.so", needs=("libfirst.so",))
    ids = set()
    for function in ("first", "changed"):
        members = {
            "jni/arm64-v8a/libengine.so": engine,
            "jni/arm64-v8a/libfirst.so": android("libfirst.so", exports=(function,)),
        }
        ids.add(add(archive(members), cache, replace=True)[0][0].engine_id)

    assert len(ids) == 2
    assert len(list_added(cache)) == 1


def test_the_engine_asked_for_is_taken_of_two(android: Android, archive: Callable[..., Path], cache: Path):
    litert = android("libLiteRt.so", exports=EXPORTS["litert"])
    both = archive({"jni/arm64-v8a/libonnxruntime.so": android(), "jni/arm64-v8a/libLiteRt.so": litert})

    with pytest.raises(InputError, match=r"got several: 'libLiteRt\.so' \(LiteRT\), 'libonnxruntime\.so' \(ONNX Run"):
        add(both, cache)

    assert [build.engine for build in add(both, cache, engine="litert")[0]] == ["litert"]


def test_a_glibc_library_in_an_archive_serves_android(android: Android, archive: Callable[..., Path], cache: Path):
    (build,), said = add(archive({"jni/arm64-v8a/libonnxruntime.so": android(libc="glibc")}), cache)

    assert (build.platform, build.libc) == ("android-arm64", "glibc 2.17")
    assert "carried along" in said[0]


@pytest.mark.parametrize(
    ("members", "arguments", "words"),
    [
        pytest.param({}, {}, r"libraries in jni/arm64-v8a/ or jni/x86_64/ of 'engine.aar', got none", id="no library"),
        pytest.param(
            {"jni/riscv64/libonnxruntime.so": {}, "jni/x86/libonnxruntime.so": {}},
            {},
            "got only riscv64, x86: take one for 64-bit devices",
            id="unknown ABIs",
        ),
        pytest.param(
            {"jni/arm64-v8a/libonnxruntime.so": {}},
            {"platform": "android-x86_64"},
            "expected libraries in jni/x86_64/ of",
            id="not the ABI asked for",
        ),
        pytest.param(
            {"jni/arm64-v8a/libonnxruntime.so": {}},
            {"platform": "linux-aarch64"},
            r"expected a platform of Android for an \.aar",
            id="not for Linux",
        ),
        pytest.param(
            {"jni/x86_64/libonnxruntime.so": {}},
            {},
            r"expected a library for android-x86_64, got .* for aarch64",
            id="another architecture than its folder's",
        ),
        pytest.param(
            {"jni/arm64-v8a/libone.so": {"exports": ("one",)}, "jni/arm64-v8a/libtwo.so": {"exports": ("two",)}},
            {},
            r"got 'libone\.so', 'libtwo\.so' without",
            id="no engine",
        ),
        pytest.param(
            {"jni/arm64-v8a/libtensorflowlite_jni.so": {"exports": CLASSIC}},
            {},
            r"'libtensorflowlite_jni\.so', which has only the older one",
            id="classic",
        ),
        pytest.param(
            {"jni/arm64-v8a/libone.so": {}, "jni/arm64-v8a/libtwo.so": {}},
            {"engine": "onnxruntime"},
            r"got several: 'libone\.so' \(ONNX Runtime\), 'libtwo\.so' \(ONNX Runtime\)",
            id="the same engine twice",
        ),
        pytest.param(
            {"jni/arm64-v8a/libonnxruntime.so": {"needs": ("libc++_shared.so",)}},
            {},
            r"got no 'libc\+\+_shared\.so'",
            id="a library that is missing",
        ),
        pytest.param(
            {
                "jni/arm64-v8a/libonnxruntime.so": {"needs": ("libfirst.so",)},
                "jni/arm64-v8a/libfirst.so": {"libc": "glibc"},
            },
            {"engine": "onnxruntime"},
            "got several",
            id="an engine beside it",
        ),
        pytest.param(
            {
                "jni/arm64-v8a/libonnxruntime.so": {"needs": ("libfirst.so",)},
                "jni/arm64-v8a/libfirst.so": {"libc": "glibc", "exports": ("first",)},
            },
            {},
            r"expected 'libfirst\.so' to be for aarch64 and bionic as .*, got one for aarch64 and glibc",
            id="another C library beside it",
        ),
    ],
)
def test_an_archive_that_will_not_do_is_refused_and_nothing_is_kept(
    members: dict[str, dict[str, Any]],
    arguments: dict[str, Any],
    words: str,
    android: Android,
    archive: Callable[..., Path],
    cache: Path,
):
    file = archive({name: android(Path(name).name, **options) for name, options in members.items()})

    with pytest.raises(InputError, match=words):
        add(file, cache, **arguments)

    assert kept(cache) == []


def test_a_damaged_library_is_named(android: Android, archive: Callable[..., Path], cache: Path):
    with pytest.raises(InputError, match=r"whole shared library, got 'libonnxruntime\.so', which is damaged"):
        add(archive({"jni/arm64-v8a/libonnxruntime.so": android().read_bytes()[:300]}), cache)

    assert kept(cache) == []


def test_no_name_in_an_archive_leads_out_of_it(android: Android, archive: Callable[..., Path], cache: Path):
    names = (
        "../../libonnxruntime.so",
        "/tmp/libonnxruntime.so",
        "jni/arm64-v8a/../../../libonnxruntime.so",
        "jni/../libonnxruntime.so",
        "jni/arm64-v8a/deeper/libonnxruntime.so",
        "jni/arm64-v8a/lib$(reboot).so",
        "jni/arm64-v8a/lib\n.so",
    )

    with pytest.raises(InputError, match="got none there"):
        add(archive({name: android() for name in names}), cache)

    assert kept(cache) == []
    assert {path.name for path in cache.parents[1].rglob("*")} == {"home", "engines", ".added.lock", "engine.aar"} - (
        set() if (cache / ".added.lock").exists() else {".added.lock"}
    )


def test_a_library_twice_in_an_archive_is_refused(android: Android, cache: Path, tmp_path: Path):
    file, name = tmp_path / "engine.aar", "jni/arm64-v8a/libonnxruntime.so"
    with zipfile.ZipFile(file, "w") as opened:
        opened.write(android(), name)
        with pytest.warns(UserWarning, match="Duplicate name"):
            opened.write(android(), name)

    with pytest.raises(InputError, match=r"each library once .*, got jni/arm64-v8a/libonnxruntime\.so twice"):
        add(file, cache)


def test_a_bomb_is_not_unpacked(archive: Callable[..., Path], cache: Path):
    bomb = archive({"jni/arm64-v8a/libonnxruntime.so": b"\x7fELF" + bytes(20_000_000)})

    with pytest.raises(InputError, match=r"which would unpack to 20000004 bytes from \d+: it is not unpacked"):
        add(bomb, cache)


def test_a_size_that_is_a_lie_is_found_out(archive: Callable[..., Path], cache: Path):
    file = archive({"jni/arm64-v8a/libonnxruntime.so": bytes(range(256)) * 4000})
    data = bytearray(file.read_bytes())
    entry = data.rfind(b"PK\1\2")
    struct.pack_into("<I", data, entry + 24, 1000)  # the size when unpacked, in the directory
    file.write_bytes(data)

    with pytest.raises(InputError, match=r"expected a sound \.aar"):
        add(file, cache)


def test_more_libraries_than_any_engine_has_are_refused(archive: Callable[..., Path], cache: Path):
    many = archive({f"jni/arm64-v8a/lib{number}.so": b"" for number in range(201)})

    with pytest.raises(InputError, match="expected at most 200 libraries"):
        add(many, cache)


def test_a_library_of_gigabytes_is_refused(archive: Callable[..., Path], cache: Path):
    file = archive({"jni/arm64-v8a/libonnxruntime.so": b"x" * 100})
    data = bytearray(file.read_bytes())
    entry = data.rfind(b"PK\1\2")
    struct.pack_into("<II", data, entry + 20, 50_000_000, 2_000_000_000)  # packed, unpacked
    file.write_bytes(data)

    with pytest.raises(InputError, match="expected a library of at most 1073741824 bytes"):
        add(file, cache)


def test_a_directory_of_names_without_end_is_not_read(archive: Callable[..., Path], cache: Path):
    file = archive({})
    data = bytearray(file.read_bytes())
    struct.pack_into("<I", data, data.rfind(b"PK\5\6") + 12, 1 << 24)
    file.write_bytes(data)

    with pytest.raises(InputError, match="its directory has more than 4194304 bytes"):
        add(file, cache)


def test_an_archive_of_the_form_for_gigabytes_is_refused(archive: Callable[..., Path], cache: Path):
    file = archive({})
    data = bytearray(file.read_bytes())
    end = data.rfind(b"PK\5\6")
    data[end:end] = b"PK\6\7" + bytes(16)
    file.write_bytes(data)

    with pytest.raises(InputError, match="or is of the form for that"):
        add(file, cache)


@pytest.mark.parametrize("damage", ["cut off", "encrypted", "packed otherwise", "changed", "commented"])
def test_a_damaged_archive_is_refused(damage: str, android: Android, archive: Callable[..., Path], cache: Path):
    file = archive({"jni/arm64-v8a/libonnxruntime.so": android()})
    data = bytearray(file.read_bytes())
    entry, start = data.rfind(b"PK\1\2"), data.find(b"PK\3\4", 1)
    if damage == "cut off":
        del data[-100:]
    elif damage == "encrypted":
        data[entry + 8] |= 1
        data[start + 6] |= 1
    elif damage == "packed otherwise":
        data[entry + 10] = data[start + 8] = 6  # imploded
    elif damage == "changed":
        data[start + 200] ^= 0xFF
    else:  # a second end, which claims to have a comment that is longer than the file
        data += b"PK\5\6" + bytes(16) + b"\xff\xff"
    file.write_bytes(data)

    with pytest.raises(InputError, match=r"expected (a sound \.aar|libraries in)"):
        add(file, cache)

    assert kept(cache) == []
