"""What surrounds the body of a workflow script: its log, its errors, and what reaches the terminal."""

import logging
import sys
import warnings

import pytest

from nucleotune.errors import InputError
from nucleotune.scripting import job


def test_the_librarys_warnings_reach_the_terminal(tmp_path, capfd):
    path = tmp_path / "logs" / "x.log"
    with job(path) as log:
        log.info("one")
        logging.getLogger("nucleotune.studies").warning("12 of %d", 30)
        logging.getLogger("other").warning("of a library")
        warnings.warn("of Python", stacklevel=1)
        print("noise", file=sys.stderr)
    assert capfd.readouterr().err == f"Warning: 12 of 30 ({path})\n"
    text = path.read_text()
    for said in ("INFO one", "WARNING 12 of 30", "of a library", "of Python", "noise"):
        assert said in text


def test_errors_of_users_have_no_traceback(tmp_path, capfd):
    for error, traceback in ((InputError("mend it"), False), (ValueError("a defect"), True)):
        with pytest.raises(SystemExit), job(tmp_path / "x.log"):
            raise error
        text = (tmp_path / "x.log").read_text()
        assert str(error) in text and ("Traceback" in text) is traceback
    assert capfd.readouterr().err == ""
    assert not any(
        isinstance(one, logging.StreamHandler) and one.level == logging.WARNING
        for one in logging.getLogger().handlers
    )
