"""The suite in a virtual machine, whose kernel has a simulated chip with a Raspberry Pi's label and number 1."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.rig import ROOT

pytestmark = pytest.mark.vm
#: Another chip takes number 0; what is compiled is kept for the next start, since every start is emulated.
#: That makes deadlines of one that shares its processor a matter of luck: what fails is tried once more, and shown.
GUEST = """
unset PYTHONDONTWRITEBYTECODE
modprobe gpio-sim && mkdir -p /sys/kernel/config/gpio-sim/first/bank0 || exit 90
echo 1 > /sys/kernel/config/gpio-sim/first/live && gpio-sim-setup && . /run/rig-env || exit 91
cd /project && set -- python -m pytest -v -o cache_dir=/tmp/seen -p no:hypothesispytest --timeout=120 \\
    --durations=10 --gpiochip="$GPIO_SIM_CHIP" {what}
"$@" && exit
[ $? = 1 ] && echo "AGAIN: what failed" && exec "$@" --last-failed
exit 1
"""
QUICK, FULL = "tests/kernel", "--full -s tests/kernel tests/hardware"
QUICK_S, FULL_S = 540, 1500


@pytest.fixture
def image(pytestconfig: pytest.Config) -> Path:
    return Path(pytestconfig.getoption("--vm"))


def test_its_kernel_has_not_the_first_gpio_interface(image: Path) -> None:
    config = (image / "kernel-config").read_text().splitlines()
    assert "CONFIG_GPIO_CDEV_V1=y" not in config
    assert "CONFIG_GPIO_CDEV=y" in config


@pytest.mark.timeout(FULL_S + 60)
def test_the_suite_passes_there(image: Path, rigs: Path, pytestconfig: pytest.Config) -> None:
    full = pytestconfig.getoption("--full")
    command = GUEST.format(what=FULL if full else QUICK)
    limit_s = FULL_S if full else QUICK_S
    words = ["-t", str(limit_s), "-e", "RIG_GPIO=0", str(image), str(ROOT), "--", command]
    run = [str(rigs / "gpio-vm/run.sh"), *words]
    done = subprocess.run(run, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(done.stdout)  # noqa: T201
    assert done.returncode == 0, done.stdout[-6000:]
    assert " passed" in done.stdout
