"""The page's own tests, run by node: its cryptography, packets, links, gate and jitter buffer."""

import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_pages_code_passes_its_tests_under_node() -> None:
    """Each of `tests/web/*.test.js`; the wire page's examples are among what they compare with."""
    node = shutil.which("node")
    assert node, "node is missing; .ci/prepare installs it"
    files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests" / "web").glob("*.test.js"))
    command = [node, "--test", "--test-reporter=tap", *files]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    passed = re.search(r"^# pass (\d+)$", done.stdout, re.MULTILINE)
    assert passed, done.stdout[-2000:]
    assert int(passed[1]) >= 27
    assert "# skipped 0" in done.stdout
