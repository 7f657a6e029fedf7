"""Counters and durations as OpenMetrics text."""

from __future__ import annotations

from actum.http.metrics import Metrics

EXPECTED = """\
# TYPE actum_http_requests counter
# HELP actum_http_requests Requests by route, method and status.
actum_http_requests_total{route="/a",method="GET",status="200"} 2
"""


def test_the_text_says_what_was_counted_and_ends_as_the_standard_demands():
    metrics = Metrics()
    for seconds in (0.002, 0.3):
        metrics.answered(route="/a", method="GET", status=200, seconds=seconds)
    metrics.decided(command='O"p\\e\nn', outcome="refused")
    text = metrics.text([("actum_journal_head", "Where it ends.", 7)])
    assert text.startswith(EXPECTED)
    assert 'actum_http_request_duration_seconds_bucket{route="/a",le="0.0025"} 1\n' in text
    assert 'actum_http_request_duration_seconds_bucket{route="/a",le="+Inf"} 2\n' in text
    assert 'actum_http_request_duration_seconds_count{route="/a"} 2\n' in text
    assert 'actum_http_request_duration_seconds_sum{route="/a"} 0.302000\n' in text
    assert 'actum_commands_total{command="O\\"p\\\\e\\nn",outcome="refused"} 1\n' in text
    assert text.endswith(
        "# TYPE actum_journal_head gauge\n# HELP actum_journal_head Where it ends.\nactum_journal_head 7\n# EOF\n"
    )
