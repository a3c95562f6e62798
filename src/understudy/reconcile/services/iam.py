"""Roles and policies of Identity and Access Management."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from understudy.manifests.model import DesiredResource, Json, JsonMap
from understudy.reconcile import compare, convert, tags
from understudy.reconcile.aws import Aws
from understudy.reconcile.manager import ResourceManager, text, touched
from understudy.reconcile.model import Change, ObservedResource

_KEPT_VERSIONS = 5  # AWS keeps at most five versions of a policy


class RoleManager(ResourceManager):
    """Kind Role, found by its name; its lists of policies are authoritative, as in ACK."""

    supported: ClassVar[frozenset[str]] = frozenset(
        [
            "assumeRolePolicyDocument",
            "description",
            "inlinePolicies",
            "maxSessionDuration",
            "name",
            "path",
            "permissionsBoundary",
            "policies",
            "tags",
        ]
    )
    immutable: ClassVar[frozenset[str]] = frozenset({"path"})
    defaults: ClassVar[JsonMap] = {
        "inlinePolicies": {},
        "maxSessionDuration": 3600,
        "permissionsBoundary": None,
        "policies": [],
    }

    def observe(self, aws: Aws, desired: DesiredResource) -> ObservedResource | None:
        """The role with its inline and attached policies."""
        name = text(desired.spec, "name")
        answer = aws.find(aws.iam().get_role, RoleName=name)
        if answer is None:
            return None
        role = answer["Role"]
        spec = convert.spec(
            "Role", {key: value for key, value in role.items() if key != "PermissionsBoundary"}
        )
        spec["assumeRolePolicyDocument"] = compare.dump(role["AssumeRolePolicyDocument"])
        spec.setdefault("maxSessionDuration", self.defaults["maxSessionDuration"])
        spec["permissionsBoundary"] = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        spec["inlinePolicies"] = self._inline(aws, name)
        attached = aws.iam().get_paginator("list_attached_role_policies").paginate(RoleName=name)
        spec["policies"] = [
            policy["PolicyArn"] for page in aws.pages(attached) for policy in page["AttachedPolicies"]
        ]
        if "tags" in desired.spec and "tags" not in spec:
            listed = aws.call(aws.iam().list_role_tags, RoleName=name)["Tags"]
            spec["tags"] = [{"key": tag["Key"], "value": tag["Value"]} for tag in listed]
        return ObservedResource(key=desired.key, spec=spec, status={"arn": role["Arn"]})

    def create(self, aws: Aws, desired: DesiredResource) -> None:
        """Creates the role, then its policies."""
        aws.call(aws.iam().create_role, **convert.create_params("Role", desired.spec))
        empty = ObservedResource(key=desired.key, spec={"name": desired.spec["name"]})
        self._policies(aws, desired.spec, empty, frozenset({"inlinePolicies", "policies"}))

    def update(
        self, aws: Aws, desired: DesiredResource, observed: ObservedResource, changes: Sequence[Change]
    ) -> None:
        """Writes what changed, one operation per setting."""
        fields, name, iam = touched(changes), text(desired.spec, "name"), aws.iam()
        if fields & {"description", "maxSessionDuration"}:
            # IAM resets what the call leaves out.
            both = {**observed.spec, **desired.spec}
            params = convert.params("Role", both, ["description", "maxSessionDuration"])
            aws.call(iam.update_role, RoleName=name, **params)
        if "assumeRolePolicyDocument" in fields:
            document = text(desired.spec, "assumeRolePolicyDocument")
            aws.call(iam.update_assume_role_policy, RoleName=name, PolicyDocument=document)
        if "permissionsBoundary" in fields:
            self._boundary(aws, name, text(desired.spec, "permissionsBoundary"))
        self._policies(aws, desired.spec, observed, fields)
        if "tags" in fields:
            delta = tags.delta(desired.spec.get("tags"), observed.spec.get("tags"))
            if delta.put:
                aws.call(iam.tag_role, RoleName=name, Tags=tags.pairs(delta.put))
            if delta.remove:
                aws.call(iam.untag_role, RoleName=name, TagKeys=list(delta.remove))

    def delete(self, aws: Aws, observed: ObservedResource) -> None:
        """Deletes the role after its policies, as IAM demands."""
        name = text(observed.spec, "name")
        self._policies(aws, {"name": name}, observed, frozenset({"inlinePolicies", "policies"}))
        aws.find(aws.iam().delete_role, RoleName=name)

    @staticmethod
    def _boundary(aws: Aws, name: str, boundary: str) -> None:
        if boundary:
            aws.call(aws.iam().put_role_permissions_boundary, RoleName=name, PermissionsBoundary=boundary)
        else:
            aws.find(aws.iam().delete_role_permissions_boundary, RoleName=name)

    @staticmethod
    def _inline(aws: Aws, name: str) -> dict[str, Json]:
        found: dict[str, Json] = {}
        pages = aws.iam().get_paginator("list_role_policies").paginate(RoleName=name)
        for policy in [name for page in aws.pages(pages) for name in page["PolicyNames"]]:
            answer = aws.call(aws.iam().get_role_policy, RoleName=name, PolicyName=policy)
            found[policy] = compare.dump(answer["PolicyDocument"])
        return found

    @staticmethod
    def _policies(aws: Aws, spec: JsonMap, observed: ObservedResource, fields: frozenset[str]) -> None:
        name, iam = text(spec, "name"), aws.iam()
        wanted, have = _map(spec.get("inlinePolicies")), _map(observed.spec.get("inlinePolicies"))
        if "inlinePolicies" in fields:
            for policy, document in wanted.items():
                if not compare.same_document(str(document), have.get(policy)):
                    aws.call(
                        iam.put_role_policy, RoleName=name, PolicyName=policy, PolicyDocument=str(document)
                    )
            for policy in have.keys() - wanted.keys():
                aws.find(iam.delete_role_policy, RoleName=name, PolicyName=policy)
        if "policies" in fields:
            new, old = _list(spec.get("policies")), _list(observed.spec.get("policies"))
            for arn in new - old:
                aws.call(iam.attach_role_policy, RoleName=name, PolicyArn=arn)
            for arn in old - new:
                aws.find(iam.detach_role_policy, RoleName=name, PolicyArn=arn)


class PolicyManager(ResourceManager):
    """Kind Policy, found by its name in the account."""

    supported: ClassVar[frozenset[str]] = frozenset(["description", "name", "path", "policyDocument", "tags"])
    immutable: ClassVar[frozenset[str]] = frozenset({"path", "description"})

    def observe(self, aws: Aws, desired: DesiredResource) -> ObservedResource | None:
        """The policy with its default version's document."""
        name = text(desired.spec, "name")
        pages = aws.iam().get_paginator("list_policies").paginate(Scope="Local")
        found = next(
            (p for page in aws.pages(pages) for p in page["Policies"] if p["PolicyName"] == name), None
        )
        if found is None:
            return None
        answer = aws.call(aws.iam().get_policy, PolicyArn=found["Arn"])["Policy"]
        version = aws.call(
            aws.iam().get_policy_version, PolicyArn=found["Arn"], VersionId=answer["DefaultVersionId"]
        )["PolicyVersion"]
        spec = convert.spec("Policy", answer)
        spec["policyDocument"] = compare.dump(version["Document"])
        if "tags" in desired.spec and "tags" not in spec:
            listed = aws.call(aws.iam().list_policy_tags, PolicyArn=found["Arn"])["Tags"]
            spec["tags"] = [{"key": tag["Key"], "value": tag["Value"]} for tag in listed]
        return ObservedResource(key=desired.key, spec=spec, status={"arn": found["Arn"]})

    def create(self, aws: Aws, desired: DesiredResource) -> None:
        """Creates the policy."""
        aws.call(aws.iam().create_policy, **convert.create_params("Policy", desired.spec))

    def update(
        self, aws: Aws, desired: DesiredResource, observed: ObservedResource, changes: Sequence[Change]
    ) -> None:
        """Makes a new default version, dropping the oldest when there is no room."""
        arn, iam, fields = observed.status["arn"], aws.iam(), touched(changes)
        if "policyDocument" in fields:
            versions = aws.call(iam.list_policy_versions, PolicyArn=arn)["Versions"]
            spare = [version["VersionId"] for version in versions if not version["IsDefaultVersion"]]
            if len(versions) >= _KEPT_VERSIONS:
                oldest = min(spare, key=lambda version: int(version.removeprefix("v")))
                aws.find(iam.delete_policy_version, PolicyArn=arn, VersionId=oldest)
            document = text(desired.spec, "policyDocument")
            aws.call(iam.create_policy_version, PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
        if "tags" in fields:
            delta = tags.delta(desired.spec.get("tags"), observed.spec.get("tags"))
            if delta.put:
                aws.call(iam.tag_policy, PolicyArn=arn, Tags=tags.pairs(delta.put))
            if delta.remove:
                aws.call(iam.untag_policy, PolicyArn=arn, TagKeys=list(delta.remove))

    def delete(self, aws: Aws, observed: ObservedResource) -> None:
        """Deletes the policy with its versions."""
        arn, iam = observed.status["arn"], aws.iam()
        versions = aws.find(iam.list_policy_versions, PolicyArn=arn)
        for version in versions["Versions"] if versions else []:
            if not version["IsDefaultVersion"]:
                aws.find(iam.delete_policy_version, PolicyArn=arn, VersionId=version["VersionId"])
        aws.find(iam.delete_policy, PolicyArn=arn)


def _map(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Json) -> set[str]:
    return {str(item) for item in value} if isinstance(value, list | tuple) else set()
