"""The origin rule: local pages and tools pass; foreign pages and rebound names do not."""

import pytest

from understudy.engine.origin import HostKind, OriginRule

RULE = OriginRule(["understudy"])
HOSTS = [
    ("localhost:4566", HostKind.LOCAL),
    ("127.0.0.1:4566", HostKind.LOCAL),
    ("127.8.8.8", HostKind.LOCAL),
    ("[::1]:4566", HostKind.LOCAL),
    ("LOCALHOST", HostKind.LOCAL),
    ("s3.localhost.localstack.cloud:4566", HostKind.LOCAL),
    ("s3.us-east-1.localhost.localstack.cloud:4566", HostKind.LOCAL),
    ("bucket.s3.us-east-1.amazonaws.com", HostKind.BUCKET),
    ("bucket.s3-eu-west-1.amazonaws.com", HostKind.BUCKET),
    ("my.bucket.s3.localhost.localstack.cloud:4566", HostKind.BUCKET),
    ("bucket.s3-website.localhost.localstack.cloud:4566", HostKind.BUCKET),
    ("bucket.s3.understudy:4566", HostKind.BUCKET),
    ("bucket.localhost:4566", HostKind.LOCAL),
    ("understudy:4566", HostKind.LOCAL),
    ("abc123.execute-api.localhost.localstack.cloud:4566", HostKind.API),
    ("abc123.execute-api.localhost:4566", HostKind.API),
    ("abc123.lambda-url.us-east-1.localhost.localstack.cloud:4566", HostKind.API),
    ("abc123.lambda-url.us-east-1.localhost:4566", HostKind.API),
    ("evil.example", HostKind.FOREIGN),
    ("x.lambda-url.us-east-1.evil.example", HostKind.FOREIGN),
    ("localhost.evil.example", HostKind.FOREIGN),
    ("x.execute-api.evil.example", HostKind.FOREIGN),
    ("0.0.0.0:4566", HostKind.FOREIGN),
    ("192.168.1.7:4566", HostKind.LOCAL),
    ("172.17.0.1:32768", HostKind.LOCAL),
    ("[::]:4566", HostKind.FOREIGN),
    ("evil-amazonaws.com", HostKind.FOREIGN),
    ("[bad", HostKind.FOREIGN),
    ("", HostKind.FOREIGN),
]


@pytest.mark.parametrize(("host", "kind"), HOSTS)
def test_knows_its_own_names(host: str, kind: HostKind) -> None:
    assert RULE.host_kind(host.encode()) is kind


ALLOWED = ["http://localhost:3000", "http://127.0.0.1:8000", "https://app.localhost", "http://[::1]:5173"]
FOREIGN = [
    "https://evil.example",
    "http://192.168.1.7:3000",
    "null",
    "http://localhost.evil.example",
    "http://evil.amazonaws.com",
    "file://",
    "",
]


@pytest.mark.parametrize("origin", ALLOWED)
def test_a_local_page_may_call_everything(origin: str) -> None:
    headers = {b"host": b"localhost:4566", b"origin": origin.encode(), b"sec-fetch-site": b"cross-site"}
    assert RULE.refusal(headers, app_traffic=False) is None


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_foreign_page_may_not_drive_the_control_plane(origin: str) -> None:
    headers = {b"host": b"localhost:4566", b"origin": origin.encode()}
    refusal = RULE.refusal(headers, app_traffic=False)
    assert refusal is not None
    assert "must not drive local AWS" in refusal


def test_a_cross_site_request_without_origin_is_refused() -> None:
    headers = {b"host": b"localhost:4566", b"sec-fetch-site": b"cross-site"}
    refusal = RULE.refusal(headers, app_traffic=False)
    assert refusal is not None
    assert "Sec-Fetch-Site" in refusal


@pytest.mark.parametrize("site", [b"none", b"same-origin", b"same-site", None])
def test_a_tool_and_a_typed_address_pass(site: bytes | None) -> None:
    headers = {b"host": b"localhost:4566"} | ({b"sec-fetch-site": site} if site else {})
    assert RULE.refusal(headers, app_traffic=False) is None


def test_a_named_page_may_call_everything() -> None:
    named, every = OriginRule((), ["https://app.example"]), OriginRule((), ["*"])
    headers = {b"host": b"localhost:4566", b"origin": b"https://app.example"}
    assert named.refusal(headers, app_traffic=False) is None
    assert named.refusal({**headers, b"origin": b"https://evil.example"}, app_traffic=False) is not None
    cross_site = {b"host": b"localhost:4566", b"sec-fetch-site": b"cross-site"}
    assert named.refusal(cross_site, app_traffic=False) is not None
    assert every.refusal(cross_site, app_traffic=False) is None
    assert every.refusal({**headers, b"host": b"evil.example"}, app_traffic=False) is not None


def test_an_api_decides_about_origins_itself_but_not_about_hosts() -> None:
    headers = {b"host": b"a.execute-api.localhost:4566", b"origin": b"https://evil.example"}
    assert RULE.refusal(headers, app_traffic=True) is None
    rebound = RULE.refusal({b"host": b"evil.example"}, app_traffic=True)
    assert rebound is not None
    assert "DNS rebinding" in rebound
