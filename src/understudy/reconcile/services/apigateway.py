"""What HTTP APIs and REST APIs have in common: tags by ARN."""

from understudy.manifests.model import Json
from understudy.reconcile import tags
from understudy.reconcile.aws import Aws


def tag(aws: Aws, path: str, wanted: Json, actual: Json) -> None:
    """Makes the tags of what `path` names, below ``/apis`` or ``/restapis``, those that are wanted."""
    arn = f"arn:aws:apigateway:{aws.access.region}::{path}"
    delta = tags.delta(wanted, actual)
    rest = path.startswith("/restapis/")
    if delta.put and rest:
        aws.call(aws.apigateway().tag_resource, resourceArn=arn, tags=dict(delta.put))
    elif delta.put:
        aws.call(aws.apigatewayv2().tag_resource, ResourceArn=arn, Tags=dict(delta.put))
    if delta.remove and rest:
        aws.call(aws.apigateway().untag_resource, resourceArn=arn, tagKeys=list(delta.remove))
    elif delta.remove:
        aws.call(aws.apigatewayv2().untag_resource, ResourceArn=arn, TagKeys=list(delta.remove))
