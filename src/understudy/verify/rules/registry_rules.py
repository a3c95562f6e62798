"""What Lambda refuses in an image's documents and layers, as the catalogue tells it.

Data only. The texts are those of CreateFunction and of a function whose State is Failed, reason code
InvalidImage; what decides is in `registry` and `registry_layers`.
"""

from understudy.verify.model import Rule, Severity

_IMAGES = "https://docs.aws.amazon.com/lambda/latest/dg/images-create.html"
_SINGLE = "docker buildx build --provenance=false --sbom=false --platform linux/amd64 --push -t IMAGE ."

INDEX = Rule(
    id="image-index",
    title="The reference leads to an index, not to an image",
    severity=Severity.FAILS,
    catalogue=("A16",),
    aws_text="The image manifest, config or layer media type for the source image IMAGE is not supported.",
    why="Lambda takes one image manifest. Docker writes an index around it as soon as the build has several "
    "platforms or a provenance attestation, which buildx adds by default.",
    fix=_SINGLE,
    link="https://github.com/aws/aws-lambda-roadmap/issues/82",
)
MEDIA_TYPE = Rule(
    id="media-type-unsupported",
    title="The config or a layer has a media type that Lambda does not take",
    severity=Severity.FAILS,
    catalogue=("A16",),
    aws_text="The image manifest, config or layer media type for the source image IMAGE is not supported.",
    why="Lambda takes Docker's image manifest V2, schema 2, and OCI images. Docker's format defines gzip "
    "layers only: an uncompressed one in it is refused, though docker pull takes it.",
    fix=_SINGLE,
    link="https://github.com/aspect-build/rules_aws/pull/145",
)
COMPRESSION = Rule(
    id="layer-compression-unconfirmed",
    title="A layer is packed in a way that Lambda is not known to take",
    severity=Severity.MAY_FAIL,
    catalogue=("A16",),
    aws_text="InvalidImage: ImageLayerFailure: UnsupportedImageLayerDetected - Layer Digest DIGEST",
    why="AWS documents neither zstd nor foreign layers for Lambda, and nobody reports that they work.",
    fix="docker buildx build --output type=image,compression=gzip,force-compression=true,push=true "
    "--provenance=false -t IMAGE .",
    link="https://github.com/aws/amazon-ecs-agent/issues/4179",
)
UNREADABLE = Rule(
    id="layer-unreadable",
    title="A layer cannot be read",
    severity=Severity.FAILS,
    catalogue=("A16",),
    aws_text="InvalidImage: ImageLayerFailure: UnsupportedImageLayerDetected - Layer Digest DIGEST",
    why="The blob is cut, is not what its digest says, or is no archive of the kind its media type names.",
    fix="docker push IMAGE",
    link="https://github.com/bazel-contrib/rules_oci/issues/777",
)
PARENT_MISSING = Rule(
    id="parent-directory-missing",
    title="A layer has files in directories that no layer has",
    severity=Severity.FAILS,
    catalogue=("A16",),
    aws_text="InvalidImage: MissingParentDirectory: Parent directory does not exist for file: FILE",
    why="Docker makes such directories while it unpacks; Lambda does not and refuses the image. Archives "
    "written by Bazel rules and by hand have this fault, those written by docker build never.",
    fix="name every directory in the layer's archive before the files in it",
    link="https://github.com/aspect-build/rules_aws/issues/103",
)
DIFF_ID = Rule(
    id="diff-id-mismatch",
    title="The config names other layers than the manifest",
    severity=Severity.MAY_FAIL,
    catalogue=("A16",),
    aws_text="InvalidImage: ImageLayerFailure: UnsupportedImageLayerDetected - Layer Digest DIGEST",
    why="The config lists the hash of each uncompressed layer. docker pull refuses an image whose layers "
    "hash to something else; what Lambda does is not documented.",
    fix="build the image again; do not edit its layers after the build",
    link="https://github.com/opencontainers/image-spec/blob/main/config.md#layer-diffid",
)
HISTORY = Rule(
    id="history-incomplete",
    title="The image's history does not tell where its layers come from",
    severity=Severity.INFO,
    catalogue=("A16",),
    aws_text="",
    why="History is optional and Lambda needs none; findings of this image cannot name the Dockerfile "
    "instruction, though. It was once suspected behind UnsupportedImageLayerDetected.",
    fix="build with a tool that writes one history entry per layer, such as docker build",
    link="https://github.com/bazel-contrib/rules_oci/issues/645",
)
TOO_LARGE = Rule(
    id="image-too-large",
    title="The image is larger than Lambda takes",
    severity=Severity.FAILS,
    catalogue=("A16",),
    aws_text="InvalidImage(SizeLimitExceeded: Uncompressed container image size exceeds 10 GiB limit)",
    why="The limit is on all layers together, uncompressed: what a later layer deletes still counts.",
    fix="COPY --from=build /app /app in a stage of its own, so that the build's own files stay behind",
    link="https://github.com/aws-samples/aws-genai-llm-chatbot/issues/59",
)
OVER_BUDGET = Rule(
    id="image-over-budget",
    title="The image is larger than the project allows itself",
    severity=Severity.SLOW,
    catalogue=("A16",),
    aws_text="",
    why="Lambda would take it: the limit is the project's own, on the compressed size that the registry "
    "stores. What it costs is time: every push, and the first starts after each.",
    fix="move what the function does not need out of the image, or raise the project's size budget",
    link="https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",
)
PLATFORM = Rule(
    id="platform-unsupported",
    title="The image is for a platform that Lambda does not have",
    severity=Severity.FAILS,
    catalogue=("A7", "A16"),
    aws_text="Runtime.InvalidEntrypoint: fork/exec PROGRAM: exec format error",
    why="Lambda runs linux/amd64 and linux/arm64.",
    fix="docker buildx build --platform linux/amd64 --provenance=false -t IMAGE .",
    link=_IMAGES,
)
ARCHITECTURE = Rule(
    id="architecture-mismatch",
    title="The image is for another architecture than the function",
    severity=Severity.FAILS,
    catalogue=("A7",),
    aws_text="Runtime.InvalidEntrypoint: fork/exec /lambda-entrypoint.sh: exec format error\n"
    "IMAGE Launch error: fork/exec /lambda-entrypoint.sh: exec format error "
    "Entrypoint: [/lambda-entrypoint.sh] Cmd: [app.handler] WorkingDir: [/var/task]",
    why="Lambda accepts the image at deployment and cannot execute it. A machine with qemu-user installed "
    "runs it without a word.",
    fix="docker buildx build --platform linux/amd64 --provenance=false -t IMAGE .",
    link="https://github.com/aws/aws-lambda-base-images/issues/26",
)

RULES = (
    ARCHITECTURE,
    PLATFORM,
    INDEX,
    MEDIA_TYPE,
    UNREADABLE,
    PARENT_MISSING,
    TOO_LARGE,
    DIFF_ID,
    COMPRESSION,
    OVER_BUDGET,
    HISTORY,
)
