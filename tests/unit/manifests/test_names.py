import pytest

from understudy.manifests import names


@pytest.mark.parametrize(
    ("member", "field"),
    [
        ("ImageUri", "imageURI"),
        ("MemorySize", "memorySize"),
        ("KMSKeyArn", "kmsKeyARN"),
        ("CodeSha256", "codeSHA256"),
        ("S3ObjectVersion", "s3ObjectVersion"),
        ("SubnetIds", "subnetIDs"),
        ("BlockPublicAcls", "blockPublicACLs"),
        ("CORSRules", "corsRules"),
        ("SSEAlgorithm", "sseAlgorithm"),
        ("FunctionUrlAuthType", "functionURLAuthType"),
        ("PrincipalOrgID", "principalOrgID"),
        ("TimeoutInMillis", "timeoutInMillis"),
        ("repositoryName", "repositoryName"),
        ("URI", "uRI"),
    ],
)
def test_derives_the_name_that_ack_uses(member: str, field: str) -> None:
    assert names.field_name(member) == field
