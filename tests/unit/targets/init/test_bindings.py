import ast

import pytest

from understudy.targets.init import bindings
from understudy.targets.init.bindings import Bound, Needs
from understudy.targets.init.modules import Code


def _bind(text: str, **needs: object) -> Bound:
    return bindings.bind("shop", [Code(name="app", path="app.py", tree=ast.parse(text))], Needs(**needs))  # type: ignore[arg-type]


def test_a_table_without_a_stated_key_is_told_with_the_option_and_its_name_still_set() -> None:
    text = "import os, boto3\nt = boto3.resource('dynamodb').Table(os.environ['USERS_TABLE'])\nt.scan()"

    bound = _bind(text)

    assert bound.resources == ()
    assert dict(bound.variables) == {"USERS_TABLE": "shop-users"}
    assert "--table shop-users=PARTITION_KEY" in bound.notes[0].text
    assert bound.statements[0].resources == (
        "arn:${partition}:dynamodb:${region}:${account}:table/shop-users",
    )

    (table,) = _bind(text, tables={"shop-users": ("pk", "sk")}).resources
    assert [one["attributeName"] for one in table.spec["keySchema"]] == ["pk", "sk"]  # type: ignore[index, union-attr, call-overload]


def test_a_variable_s_name_tells_what_it_is_where_the_code_hides_it() -> None:
    text = "import os, boto3\nclass S(BaseSettings):\n    uploads_bucket: str\nboto3.client('s3')"

    assert dict(_bind(text).variables) == {"UPLOADS_BUCKET": "${Bucket.shop-uploads.name}"}


def test_a_constant_is_the_resource_s_own_name() -> None:
    text = "import boto3\nboto3.client('s3').get_object(Bucket='acme-files', Key='k')"

    (bucket,) = _bind(text).resources

    assert (bucket.name, bucket.spec["name"]) == ("shop-acme-files", "acme-files")


def test_a_secret_is_never_taken_from_an_example() -> None:
    text = "import os\nos.environ['DB_PASSWORD']\nos.environ['DB_HOST']"

    bound = _bind(text, samples={"DB_PASSWORD": "hunter2", "DB_HOST": "db.local"})

    assert dict(bound.local_variables) == {"DB_PASSWORD": "local", "DB_HOST": "db.local"}


def test_a_service_whose_subject_is_unknown_is_told() -> None:
    bound = _bind(
        "import boto3\nboto3.client('s3').get_object(Bucket=f(), Key='k')\nboto3.client('ses').send_email()"
    )

    told = {note.subject: note.text for note in bound.notes}
    assert "no resource and no permission" in told["s3"]
    assert 'ses:SendEmail allowed on "*"' in told["ses"]


def test_queues_and_topics_come_with_their_variables_and_permissions() -> None:
    text = (
        "import os, boto3\n"
        "boto3.client('sqs').send_message(QueueUrl=os.environ['JOBS_QUEUE_URL'], MessageBody='')\n"
        "boto3.client('sns').publish(TopicArn=os.environ['NEWS_TOPIC_ARN'], Message='')\n"
    )

    bound = _bind(text)

    assert dict(bound.variables) == {
        "JOBS_QUEUE_URL": "${Queue.shop-jobs.queueURL}",
        "NEWS_TOPIC_ARN": "${Topic.shop-news.arn}",
    }
    assert [(one.kind, one.spec.get("queueName", one.spec.get("name"))) for one in bound.resources] == [
        ("Queue", "shop-jobs"),
        ("Topic", "shop-news"),
    ]
    assert [one.actions for one in bound.statements] == [("sqs:SendMessage",), ("sns:Publish",)]


def test_an_index_is_allowed_and_told() -> None:
    text = (
        "import boto3\nt = boto3.resource('dynamodb').Table('users')\n"
        "t.query(IndexName='by-mail')\nt.get_item(Key={'id': '1'})\n"
    )

    bound = _bind(text)

    assert bound.statements[0].resources == ("${Table.shop-users.arn}", "${Table.shop-users.arn}/index/*")
    assert any(note.subject == "by-mail" for note in bound.notes)


@pytest.mark.parametrize(
    ("read", "sample"),
    [
        ("int(os.environ['WORKERS'])", "1"),
        ("os.environ['DATABASE_URL']", "postgresql://local:local@localhost/local"),
        ("os.environ['API_URL']", "http://localhost"),
        ("os.environ['STAGE']", "local"),
    ],
)
def test_a_sample_has_the_form_that_the_code_wants(read: str, sample: str) -> None:
    assert list(_bind(f"import os\n{read}").local_variables.values()) == [sample]
