"""Buckets by path and by host, and URLs that were signed for somebody else."""

from functools import partial

from tests.parity.model import Row
from tests.parity.world import World, words

AREA = "S3"
_DOMAIN = "localhost.localstack.cloud"


def _path_style(world: World, host: str | None) -> str:
    name = world.bucket()
    put = world.http("PUT", f"/{name}/key", host=host, content=b"text")
    got = world.http("GET", f"/{name}/key", host=host)
    return f"put {put.status_code}, got {got.text}"


def _host_style(world: World, suffix: str) -> str:
    name = world.bucket()
    put = world.http("PUT", "/key", host=f"{name}.{suffix}", content=b"text")
    got = world.http("GET", f"/{name}/key")
    return f"put {put.status_code}, got {got.text}"


def _sdk(world: World, style: str) -> str:
    endpoint = f"http://s3.{_DOMAIN}:{world.port}"
    client = world.client("s3", endpoint=endpoint, s3={"addressing_style": style})
    name = world.name()
    client.create_bucket(Bucket=name)
    client.put_object(Bucket=name, Key="a/b c", Body=b"text")
    listed = [each["Key"] for each in client.list_objects_v2(Bucket=name)["Contents"]]
    return f"listed {listed[0]}, got {client.get_object(Bucket=name, Key='a/b c')['Body'].read().decode()}"


def _any_key(world: World) -> str:
    name, paths = world.bucket(), ("/v2/app/tags", "/_localstack/health", "/2015-03-31/functions/", "/health")
    for path in paths:
        world.http("PUT", path, host=f"{name}.s3.{_DOMAIN}", content=b"text")
    listed = {
        f"/{each['Key']}" for each in world.client("s3").list_objects_v2(Bucket=name).get("Contents", [])
    }
    other = [path for path in paths if path not in listed]
    return f"but for {' '.join(other)}" if other else "without exception"


def _presigned(world: World, style: str) -> str:
    endpoint = f"http://s3.{_DOMAIN}:{world.port}"
    client = world.client("s3", endpoint=endpoint, s3={"addressing_style": style}, signature_version="s3v4")
    where = {"Bucket": world.bucket(), "Key": "key"}
    put = _fetch(world, "PUT", client.generate_presigned_url("put_object", Params=where), b"text")
    got = _fetch(world, "GET", client.generate_presigned_url("get_object", Params=where))
    return f"put {put[0]}, got {got[1]}"


def _presigned_post(world: World) -> str:
    form = world.client("s3").generate_presigned_post(world.bucket(), "key")
    path = form["url"].removeprefix(world.endpoint)
    answer = world.http("POST", path, data=form["fields"], files={"file": ("name", b"text")})
    return str(answer.status_code)


def _expired(world: World) -> str:
    where = {"Bucket": world.bucket(), "Key": "key"}
    world.client("s3").put_object(**where, Body=b"text")
    client = world.client("s3", signature_version="s3v4")
    return str(
        _fetch(world, "GET", client.generate_presigned_url("get_object", Params=where, ExpiresIn=-1))[0]
    )


def _forged(world: World) -> str:
    where = {"Bucket": world.bucket(), "Key": "key"}
    world.client("s3").put_object(**where, Body=b"text")
    url = world.client("s3", signature_version="s3v4").generate_presigned_url("get_object", Params=where)
    return str(_fetch(world, "GET", f"{url[:-8]}00000000")[0])


def _fetch(world: World, method: str, url: str, body: bytes = b"") -> tuple[int, str]:
    """Sends a request to a URL's path under its host, at the endpoint."""
    host, _, path = url.removeprefix("http://").partition("/")
    answer = world.http(method, f"/{path}", host=host.partition(":")[0], content=body)
    return answer.status_code, answer.text


def _cors(world: World, origin: str, allowed: str = "https://app.example") -> str:
    name = world.bucket()
    rule = {"AllowedOrigins": [allowed], "AllowedMethods": ["GET"], "AllowedHeaders": ["*"]}
    world.client("s3").put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": [rule]})
    world.client("s3").put_object(Bucket=name, Key="key", Body=b"text")
    answer = world.http("GET", f"/{name}/key", headers={"origin": origin})
    if "ForeignOriginException" in answer.text:
        return words(answer)
    readable = answer.headers.get("access-control-allow-origin") in (origin, "*")
    return f"{answer.status_code}, {'readable' if readable else 'unreadable'}"


def _website(world: World) -> str:
    name, client = world.bucket(), world.client("s3")
    client.put_object(Bucket=name, Key="index.html", Body=b"page", ContentType="text/html")
    client.put_bucket_website(Bucket=name, WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    answer = world.http("GET", "/", host=f"{name}.s3-website.{_DOMAIN}")
    listing = "ListBucketResult" in answer.text
    return f"{answer.status_code} {'a listing of the bucket' if listing else answer.text[:80]}"


_STORED = "put 200, got text"
ROWS = (
    Row(area=AREA, name="a bucket in the path", localstack=_STORED, observe=partial(_path_style, host=None)),
    *(
        Row(
            area=AREA,
            name=f"a bucket in the path at `{host}`",
            localstack=_STORED,
            observe=partial(_path_style, host=host),
        )
        for host in (f"s3.{_DOMAIN}", f"s3.us-east-1.{_DOMAIN}")
    ),
    *(
        Row(
            area=AREA,
            name=f"a bucket in the host, `BUCKET.{suffix}`",
            localstack=_STORED,
            observe=partial(_host_style, suffix=suffix),
        )
        for suffix in (f"s3.{_DOMAIN}", f"s3.us-east-1.{_DOMAIN}", "s3.amazonaws.com")
    ),
    Row(
        area=AREA,
        name="boto3 with `addressing_style: path`",
        localstack="listed a/b c, got text",
        observe=partial(_sdk, style="path"),
    ),
    Row(
        area=AREA,
        name="boto3 with `addressing_style: virtual`",
        localstack="listed a/b c, got text",
        observe=partial(_sdk, style="virtual"),
    ),
    Row(
        area=AREA,
        name="on a bucket's host every path is a key, whatever else the endpoint serves there",
        localstack="but for /_localstack/health",
        observe=_any_key,
    ),
    Row(
        area=AREA,
        name="presigned URLs, bucket in the path",
        localstack=_STORED,
        observe=partial(_presigned, style="path"),
    ),
    Row(
        area=AREA,
        name="presigned URLs, bucket in the host",
        localstack=_STORED,
        observe=partial(_presigned, style="virtual"),
    ),
    Row(area=AREA, name="a presigned POST form", localstack="204", observe=_presigned_post),
    Row(area=AREA, name="a presigned URL that has expired", localstack="200", observe=_expired),
    Row(area=AREA, name="a presigned URL with a wrong signature", localstack="200", observe=_forged),
    Row(
        area=AREA,
        name="a page at `http://localhost:3000` that the bucket's CORS rules name",
        localstack="200, readable",
        observe=partial(_cors, origin="http://localhost:3000", allowed="http://localhost:3000"),
    ),
    Row(
        area=AREA,
        name="a page that the bucket's CORS rules name",
        localstack="200, readable",
        observe=partial(_cors, origin="https://app.example"),
    ),
    Row(
        area=AREA,
        name="a page that the bucket's CORS rules do not name",
        localstack="200, unreadable",
        observe=partial(_cors, origin="https://other.example"),
    ),
    Row(
        area=AREA, name=f"a website at `BUCKET.s3-website.{_DOMAIN}`", localstack="200 page", observe=_website
    ),
)
