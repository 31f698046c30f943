"""Does the runner start on the device, and does each engine load there and compute what is right?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from pocketbench.checked.errors import InputError
from pocketbench.harness.checkup.golden import GoldenModel, golden_models
from pocketbench.harness.checkup.rows import Row, fail, not_known, ok
from pocketbench.harness.checkup.visit import Visit, decode, reason
from pocketbench.harness.deploy.deployment import Deployment, DeploymentFile, DeploymentPlan, deploy
from pocketbench.harness.deploy.hashing import digest_of
from pocketbench.harness.deploy.progress import ProgressCallback
from pocketbench.harness.deploy.variant import deploy_variant
from pocketbench.harness.engines.catalogue import DISPLAY_NAMES, EngineBuild, EngineName
from pocketbench.harness.errors import CommandError, DeploymentError, RunnerCrashError, RunnerError
from pocketbench.harness.runner.binaries import runner_binary
from pocketbench.harness.runner.results import BenchOptions
from pocketbench.harness.transports.base import Completed

__all__ = ["RESERVED_PREFIX", "EngineSource", "engine_answers", "runner_starts"]

EngineSource = Callable[[EngineName], EngineBuild]
"""The build of an engine that the device would be measured with; InputError where there is none."""

# What is deployed for a check: the objects serve every later deployment.
RESERVED_PREFIX = "device-check-"
_RUNNER = "pocketbench-runner"
_TIMEOUT_S = 60.0
# Enough for the figures that are shown, none of which is a measurement.
_FEW = BenchOptions(warmup_iterations=1, iterations=10, min_time_ms=0, max_time_ms=10_000)
_NOT_FOUND = 127
# Linux: SIGILL and SIGSYS
_BAD_INSTRUCTION, _BAD_SYSTEM_CALL = 4, 31


def runner_starts(visit: Visit, platform: str) -> list[Row]:
    """Deploy the runner alone and ask for its help."""
    program = runner_binary(platform)
    plan = DeploymentPlan(f"{RESERVED_PREFIX}runner", (DeploymentFile(_RUNNER, program, digest_of(program), 0o755),))

    def check(deployment: Deployment) -> None:
        answer = visit.run(str(deployment.files[_RUNNER]), "--help", timeout_s=_TIMEOUT_S)
        if answer.exit_code != 0 or not decode(answer.stdout).startswith("usage:"):
            raise CommandError(visit.transport.address, answer)

    try:
        deploy(visit.transport, visit.device.directory, plan, check=check)
    except CommandError as error:
        found = f"the one for {platform} does not start: {reason(error.completed)}"
        return [fail("runner", found, _why_not_started(visit, error.completed))]
    except DeploymentError as error:
        return [fail("runner", str(error), None)]
    return [ok("runner", f"starts ({platform})")]


def _why_not_started(visit: Visit, answer: Completed) -> str:
    if answer.signal == _BAD_SYSTEM_CALL:
        return "the system forbids a call that it needs (seccomp): use a build of the system without that filter"
    if answer.exit_code == _NOT_FOUND:
        # The file is there: the kernel found no loader for it (execve(2), ENOENT).
        loader = "/system/bin/linker64" if visit.is_android else "the GNU C library's"
        return f"its loader is not there ({loader}): only engines that bring a C library of their own will run"
    return f"see the row of the executable directory; else report it with `uname -a` of {visit.device.name}"


def engine_answers(
    visit: Visit, name: EngineName, source: EngineSource, progress: ProgressCallback | None
) -> Iterator[Row]:
    """A row for the golden inference in float32, and one in int8 where the first one loads."""
    question = DISPLAY_NAMES[name]
    try:
        build = source(name)
    except InputError as error:
        yield not_known(question, f"no build for this device: {error}", "pocketbench engine list")
        return
    for model in golden_models(name):
        row = _answer(visit, build, model, progress)
        yield row
        if row.status == "fail" and model.precision == "float32":
            return


def _answer(visit: Visit, build: EngineBuild, model: GoldenModel, progress: ProgressCallback | None) -> Row:
    question = f"{DISPLAY_NAMES[build.name]} {model.precision}"
    what = f"{DISPLAY_NAMES[build.name]} {build.version} ({build.platform})"
    try:
        deployed = deploy_variant(
            visit.transport,
            visit.device.directory,
            variant_file=model.model,
            golden=model.golden,
            rtol=model.rtol,
            atol=model.atol,
            engine=build,
            runner=runner_binary(build.runner_platform),
            name=f"{RESERVED_PREFIX}{build.name}-{model.precision}",
            progress=progress,
        )
        times = deployed.runner_client.bench(_FEW, _TIMEOUT_S)
    except RunnerCrashError as error:
        return fail(question, f"{what}: {error}", _crash_remedy(error.signal))
    except RunnerError as error:
        return fail(question, f"{what}, stage {error.stage}: {error}", _load_remedy(str(error), build))
    except DeploymentError as error:
        return fail(question, f"{what}: {error}", "use another build of the engine: pocketbench engine list")
    return ok(
        question,
        f"{what} answers right; loads in {times.engine_load_ns / 1e6:.1f} ms, opens the model in "
        f"{times.model_init_ns / 1e6:.1f} ms",
    )


def _crash_remedy(signal: int) -> str:
    if signal == _BAD_INSTRUCTION:
        return "the build uses instructions that the processor lacks: use an older one (pocketbench engine list)"
    if signal == _BAD_SYSTEM_CALL:
        return "the system forbids a call that it needs (seccomp): it takes a build made for Android"
    return "use another build of the engine: pocketbench engine list"


def _load_remedy(message: str, build: EngineBuild) -> str:
    """dlopen's own message names what is missing."""
    report = "report it with this row and what `pocketbench device show` prints"
    if wanted := re.search(r"version `((?:GLIBC|GLIBCXX|CXXABI)_[0-9.]{1,12})' not found", message):
        return f"the C or C++ library there is older than {wanted[1]}: {report}"
    if missing := re.search(r"([A-Za-z0-9_.+-]{1,60}\.so[0-9.]{0,12}): cannot open shared object file", message):
        return f"install the library {missing[1]} on the device, or {report}"
    return f"use another build of {DISPLAY_NAMES[build.name]}: pocketbench engine list; or {report}"
