"""One line per stage with its place and times; details in the log."""

from orchestration import stages as module
from orchestration.home import Home
from orchestration.stages import ALL_STAGES, Stages


def test_the_second_run_knows_the_times_of_the_first(tmp_path, capsys, monkeypatch):
    """Stages take one second, two, three and so on; a count is a line every half minute."""
    seconds = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: seconds[0])
    for _ in range(2):
        stages = Stages()
        stages.plan(Home(tmp_path), "all", simulated=False)
        for k, name in enumerate(name for name in ALL_STAGES if name not in module.OF_SIMULATED):
            seconds[0] += k + 1
            stages.done(name, "done")
        stages.keep()
    for k in range(100):
        seconds[0] += 1
        stages.count(k + 1, 100, "specs")
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 17 and "last time" not in "".join(said[:7])
    assert said[3].endswith("[3/6] marts: done (3 s)")
    assert "about 21 s as last time" in said[7]
    assert said[10].endswith("[3/6] marts: done (3 s, about 15 s to go)")
    assert [line.split("specs, ")[1] for line in said[14:]] == [f"{n} of 100" for n in (30, 60, 90)]
