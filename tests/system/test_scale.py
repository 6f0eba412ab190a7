"""Short versions of what tests/bench/run scale and tests/bench/capacity.py measure: that they work, not how fast."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bench"))

from capacity import plan  # noqa: E402
from scale import Returning  # noqa: E402

COSTS = {"base_mib": 40, "base_ops_s": 2, "host_kib": 18, "host_cpu_us_s": 20, "host_ops_s": 0.07, "login_cpu_ms": 1.5,
         "login_ops": 12, "pair_kib": 45, "open_cpu_ms": 5, "open_ops": 40, "session_cpu_us_s": 200, "gb_cpu_s": 1.2,
         "redis_us_op": 15, "host_redis_us_s": 4, "login_redis_ms": 0.3, "open_redis_ms": 1}


def test_all_hosts_come_back_after_a_kill(world):
    back = Returning(world, 24).measure(down=0.1)
    # It answers when the last one is welcome again; each tried at least once.
    assert back["count"] == 24 and back["tries"] >= 24


def test_plans_grow_with_what_they_are_for():
    plans = [plan(COSTS, hosts) for hosts in (1, 1_000, 100_000, 1_000_000)]
    for small, large in zip(plans, plans[1:]):
        assert small["nodes"] <= large["nodes"] and small["cells"] <= large["cells"]
    # One may always die.
    assert plans[0]["nodes"] == 2 and plans[0]["cells"] == 1
    dearer = plan({**COSTS, "host_redis_us_s": 400}, 1_000_000)
    assert dearer["cells"] > plans[-1]["cells"] and dearer["first"] == "Redis CPU, busy hour"
