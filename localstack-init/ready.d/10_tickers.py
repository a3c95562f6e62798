"""Puts the demo tickers where the dashboard looks for them: ``s3://dashboard-tickers/tickers.json.gz``.

Runs under understudy and under LocalStack alike: boto3 and the standard library only, no ``__file__`` and no
``__main__`` (LocalStack executes the text of a hook). The bucket belongs to the manifests; it is made here
only when they have not come yet, plainly, so that a later apply finds nothing to object to. Safe to run
again: an object that is already the same stays untouched, so nobody's ETag moves. The format of the object is
defined in ``service/dashboard/tickers.py``.
"""

import gzip
import hashlib
import json
import os
import sys
import time
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

BUCKET = "dashboard-tickers"
KEY = "tickers.json.gz"
ATTEMPTS = 40
PAUSE_S = 0.5

NASDAQ = """
AAPL Apple Inc.
ADBE Adobe Inc.
AMD Advanced Micro Devices, Inc.
AMZN Amazon.com, Inc.
ASML ASML Holding N.V.
AVGO Broadcom Inc.
COST Costco Wholesale Corporation
CSCO Cisco Systems, Inc.
GOOG Alphabet Inc. Class C
GOOGL Alphabet Inc. Class A
INTC Intel Corporation
META Meta Platforms, Inc.
MSFT Microsoft Corporation
NFLX Netflix, Inc.
NVDA NVIDIA Corporation
PEP PepsiCo, Inc.
QCOM QUALCOMM Incorporated
TSLA Tesla, Inc.
TXN Texas Instruments Incorporated
"""
NYSE = """
ACN Accenture plc
BA The Boeing Company
BAC Bank of America Corporation
BRK.B Berkshire Hathaway Inc. Class B
CAT Caterpillar Inc.
CRM Salesforce, Inc.
CVX Chevron Corporation
DIS The Walt Disney Company
GE General Electric Company
GS The Goldman Sachs Group, Inc.
HD The Home Depot, Inc.
IBM International Business Machines Corporation
JNJ Johnson & Johnson
JPM JPMorgan Chase & Co.
KO The Coca-Cola Company
MA Mastercard Incorporated
MCD McDonald's Corporation
NKE NIKE, Inc.
ORCL Oracle Corporation
PFE Pfizer Inc.
PG The Procter & Gamble Company
SAP SAP SE
T AT&T Inc.
UNH UnitedHealth Group Incorporated
V Visa Inc.
VZ Verizon Communications Inc.
WMT Walmart Inc.
XOM Exxon Mobil Corporation
"""


def tickers() -> list[dict[str, str]]:
    """Returns the entries of both exchanges, by symbol."""
    entries = []
    for exchange, listing in (("NASDAQ", NASDAQ), ("NYSE", NYSE)):
        for line in listing.strip().splitlines():
            symbol, _, name = line.partition(" ")
            entries.append({"symbol": symbol, "name": name, "exchange": exchange})
    return sorted(entries, key=lambda entry: entry["symbol"])


def seed(s3: "S3Client") -> str:
    """Returns what was done: the bucket made when missing, the object put when different."""
    body = gzip.compress(json.dumps({"tickers": tickers()}, separators=(",", ":")).encode(), mtime=0)
    try:
        etag = s3.head_object(Bucket=BUCKET, Key=KEY)["ETag"].strip('"')
        if etag == hashlib.md5(body, usedforsecurity=False).hexdigest():
            return "is up to date"
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
    try:
        s3.create_bucket(Bucket=BUCKET)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
            raise
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=body, ContentType="application/gzip")
    return "was put"


def run() -> None:
    """Seeds, trying again while the emulator is still coming up."""
    s3 = boto3.client(
        "s3",
        endpoint_url=os.environ.get("AWS_ENDPOINT_URL", "http://localhost:4566"),
        region_name=os.environ.get("AWS_DEFAULT_REGION", "us-east-1"),
        aws_access_key_id=os.environ.get("AWS_ACCESS_KEY_ID", "test"),
        aws_secret_access_key=os.environ.get("AWS_SECRET_ACCESS_KEY", "test"),
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
    )
    for attempt in range(1, ATTEMPTS + 1):
        try:
            sys.stdout.write(f"s3://{BUCKET}/{KEY} {seed(s3)}\n")
        except (BotoCoreError, ClientError):
            if attempt == ATTEMPTS:
                raise
            time.sleep(PAUSE_S)
        else:
            return


run()
