"""What wrk 4 prints, recorded from Debian's package."""

import pytest
from bench import wrk
from bench.wrk import LoadError

REPORT = """\
Running 3s test @ http://127.0.0.1:18000/health
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    51.91ms   30.37ms 174.90ms   67.01%
    Req/Sec    19.45     13.83    99.00     93.88%
  Latency Distribution
     50%  {p50}
     75%   65.40ms
     90%   87.53ms
     99%    1.02s
  97 requests in 5.03s, 26.43KB read
Requests/sec:     19.28
Transfer/sec:      5.25KB
"""


@pytest.mark.parametrize(
    ("p50", "expected_ms"),
    [("  53.26ms", 53.26), (" 420.00us", 0.42), ("   1.50s ", 1500.0), ("   1.00m ", 60_000.0)],
    ids=["ms", "us", "s", "m"],
)
def test_reads_latency_and_rate(p50: str, expected_ms: float) -> None:
    load = wrk.parse(REPORT.format(p50=p50))
    assert load.p50_ms == pytest.approx(expected_ms)
    assert load.p99_ms == pytest.approx(1020)
    assert load.per_second == pytest.approx(19.28)
    assert load.requests == 97


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (REPORT.format(p50="1.00ms") + "  Non-2xx or 3xx responses: 12\n", "Non-2xx or 3xx responses: 12"),
        (
            REPORT.format(p50="1.00ms").replace(
                "Requests/sec", "  Socket errors: connect 0, read 3, write 0, timeout 0\nRequests/sec"
            ),
            "Socket errors: connect 0, read 3",
        ),
        ("", "no request was answered"),
        (REPORT.format(p50="1.00ms").replace("97 requests", "0 requests"), "no request was answered"),
        (REPORT.format(p50="soon"), "no 50 % line"),
    ],
    ids=["status", "sockets", "nothing", "none", "no percentile"],
)
def test_refuses_figures_that_mean_nothing(text: str, message: str) -> None:
    with pytest.raises(LoadError, match=message):
        wrk.parse(text)
