from pathlib import Path

import pytest

from tests.corpus.run import run_corpus
from tests.corpus.service import running

pytestmark = pytest.mark.alone


async def test_every_bad_request_gets_its_exact_answer_everywhere(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        deviations = await run_corpus(service.base, service.key, service.admin_key)
        alive = service.process.returncode is None

    assert deviations == []
    assert alive
    assert "Traceback" not in service.log.read_text()
