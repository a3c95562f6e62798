"""Deployments of HTTP APIs: what an API is at one moment, frozen for the stages that serve it."""

from understudy.engine.executeapi.store import ApiRecord, ApiStore, Document, new_id, now

_AUTO_DEPLOYED = "Automatic deployment triggered by changes to the Api configuration"


def automatic(apis: ApiStore, record: ApiRecord) -> None:
    """Gives every stage with AutoDeploy a deployment of what the API is now."""
    stages = [stage for stage in record.stages.values() if stage.get("AutoDeploy")]
    if not stages:
        return
    deployment = create(apis, record, description=_AUTO_DEPLOYED, automatic=True)
    for stage in stages:
        changed = stage | {
            "DeploymentId": deployment["DeploymentId"],
            "LastDeploymentStatusMessage": f"Successfully deployed stage with deployment ID "
            f"'{deployment['DeploymentId']}'",
        }
        apis.put(record, "stage", stage["StageName"], changed)
    used = {stage.get("DeploymentId") for stage in record.stages.values()}
    for old in [item for item in record.deployments.values() if item.get("AutoDeployed")]:
        if old["DeploymentId"] not in used:
            apis.drop(record, "deployment", old["DeploymentId"])


def create(apis: ApiStore, record: ApiRecord, *, description: str | None, automatic: bool) -> Document:
    """Returns a new deployment of the API's present routes and integrations."""
    document: Document = {
        "AutoDeployed": automatic,
        "CreatedDate": now(),
        "DeploymentId": new_id(6),
        "DeploymentStatus": "DEPLOYED",
        "Snapshot": {
            "authorizers": dict(record.authorizers),
            "integrations": dict(record.integrations),
            "routes": dict(record.routes),
        },
    }
    if description:
        document["Description"] = description
    apis.put(record, "deployment", document["DeploymentId"], document)
    return document
