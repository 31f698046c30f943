"""The builds that `engine fetch` downloads, each with its hashes: what is fetched is this or nothing.

To move to a newer version: download the wheel with the arguments below, put in the two sha256, the sizes and the
version, and run `tests/devices/test_arm64_engines.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from pocketbench.harness.engines.catalogue import EngineName

__all__ = ["GLIBC_PACKAGES", "KNOWN_PACKAGES", "PINS", "Pin", "pin_of"]


@dataclass(frozen=True, slots=True)
class Pin:
    """A library inside a wheel: `requirement`, `python`, `abi` and `tags` are what pip is asked for."""

    name: EngineName
    version: str
    platform: str
    libc: str
    requirement: str
    python: str
    abi: str
    tags: tuple[str, ...]
    wheel_sha256: str
    wheel_bytes: int
    member: str
    library_sha256: str
    library_bytes: int

    @property
    def engine_id(self) -> str:
        """As the build is called once it is fetched."""
        return f"{self.name}-{self.version}-{self.platform}-{self.library_sha256[:12]}"


PINS: tuple[Pin, ...] = (
    Pin(
        name="litert",
        version="2.3.0",
        platform="linux-aarch64",
        libc="glibc 2.34",
        requirement="ai-edge-litert==2.3.0",
        python="3.11",
        abi="cp311",
        tags=("manylinux_2_27_aarch64",),
        wheel_sha256="853fc608f96da87bd5f3458465dfb9abbf18d5ae6b94eceacead407146f175ae",
        wheel_bytes=14_379_387,
        member="ai_edge_litert/libLiteRt.so",
        library_sha256="b57687dc234d2b8b0598aef5a9c961ed24263df8f8b3f56adbee1cff618e544b",
        library_bytes=5_991_672,
    ),
    Pin(
        name="litert",
        version="2.3.0",
        platform="linux-x86_64",
        libc="glibc 2.27",
        requirement="ai-edge-litert==2.3.0",
        python="3.11",
        abi="cp311",
        tags=("manylinux_2_27_x86_64",),
        wheel_sha256="1f15078a6725d2357d9de9221664c29afa0545d807559c5f7199ce5e40b96b23",
        wheel_bytes=21_778_233,
        member="ai_edge_litert/libLiteRt.so",
        library_sha256="eec47eb35e2924b3166015887e652a58edc9af823ae38e02bf83bef2548300bb",
        library_bytes=8_039_424,
    ),
    # No package index has a build of ONNX Runtime for Android by itself: sherpa-onnx carries one, from Microsoft's
    # sources, with the entry points for the CPU and NNAPI.
    Pin(
        name="onnxruntime",
        version="1.28.2",
        platform="android-arm64",
        libc="bionic",
        requirement="sherpa-onnx-core==2.0.1",
        python="3.11",
        abi="none",
        tags=("android_24_arm64_v8a",),
        wheel_sha256="93f8ac6a05e7622d811a00fabf1f1dd74c1fb7de94c249e123f850f29ae90cbe",
        wheel_bytes=9_950_467,
        member="sherpa_onnx/lib/libonnxruntime.so",
        library_sha256="fa18e36fd4a91f37e3ab72d130367c0c8663e0df917fcc4881bbee5a1c3520dd",
        library_bytes=22_286_857,
    ),
    Pin(
        name="onnxruntime",
        version="1.28.2",
        platform="android-x86_64",
        libc="bionic",
        requirement="sherpa-onnx-core==2.0.1",
        python="3.11",
        abi="none",
        tags=("android_24_x86_64",),
        wheel_sha256="dedc782962dda482af37ebe1a7109fc5a7133ad109605a85c203c67a846188eb",
        wheel_bytes=11_100_690,
        member="sherpa_onnx/lib/libonnxruntime.so",
        library_sha256="28263d1d81573632132099d507d9851902de7c7691fe64bbe8f55f3dcee0f76d",
        library_bytes=25_596_401,
    ),
    Pin(
        name="onnxruntime",
        version="1.32.0",
        platform="linux-aarch64",
        libc="glibc 2.28",
        requirement="onnxruntime==1.32.0",
        python="3.11",
        abi="cp311",
        tags=("manylinux_2_28_aarch64",),
        wheel_sha256="2303372a85299b6757b0e11e1cbf13e410ddf7e10c37f4b37e99d1c90e7daf7c",
        wheel_bytes=23_195_070,
        member="onnxruntime/capi/libonnxruntime.so.1.32.0",
        library_sha256="49852228a93995158b2a813d4df487d47a1b76b0eaa894507ef49e91b6d7954a",
        library_bytes=27_165_936,
    ),
    Pin(
        name="onnxruntime",
        version="1.32.0",
        platform="linux-x86_64",
        libc="glibc 2.28",
        requirement="onnxruntime==1.32.0",
        python="3.11",
        abi="cp311",
        tags=("manylinux_2_28_x86_64",),
        wheel_sha256="5a34fc4dfeb5a7b4a74c95dcba1e773d722abda720b474edf1b0c419dc6d163d",
        wheel_bytes=27_773_237,
        member="onnxruntime/capi/libonnxruntime.so.1.32.0",
        library_sha256="6c1585d1bbf45b0712ea4a21b705c5fcb4ba04ff2e30f1fbf81a49faf658638f",
        library_bytes=34_824_680,
    ),
)

# Debian's and Ubuntu's C library for another processor, in packages that any computer may install.
GLIBC_PACKAGES = {
    "linux-aarch64": ("libc6-arm64-cross", "libgcc-s1-arm64-cross", "libstdc++6-arm64-cross"),
    "linux-x86_64": ("libc6-amd64-cross", "libgcc-s1-amd64-cross", "libstdc++6-amd64-cross"),
}
# Debian 12's, which were tried with both engines. Others are taken where apt vouches for them.
KNOWN_PACKAGES = {
    "91936cbbee75771c360ed16513f6e734a25ca5517fe7c3e13dfd7835d7553186": "libc6-arm64-cross 2.36-8cross1",
    "af1e686fc6a416228222e7bfb68317dd2fa2685236301ae29141fc6108a66cac": "libgcc-s1-arm64-cross 12.2.0-14cross1",
    "9cba984b64d0cf11698978fc5e0fe93c7441d29b9f42f70f1c6c734cc9e2ea41": "libstdc++6-arm64-cross 12.2.0-14cross1",
    "e410f3d2da35bccf757976d38e6a309d4d94d25c0dfde565a9662e3f75951b2c": "libc6-amd64-cross 2.36-8cross1",
    "b432ba4cfc37d81fc9efe03da3c706eaa64859513f496397c56d11c08262994f": "libgcc-s1-amd64-cross 12.2.0-14cross1",
    "ad91d29ea6b2a819fe6f79138fee2ce4c1a1dbe7fcd355c3a8f27e8c3d13dd88": "libstdc++6-amd64-cross 12.2.0-14cross1",
}


def pin_of(name: str, platform: str) -> Pin | None:
    """The pinned build of `name` for exactly `platform`, None where there is none."""
    return next((pin for pin in PINS if (pin.name, pin.platform) == (name, platform)), None)
