"""Every setting of LocalStack 4.14.0 and what becomes of it here: honoured, met anyway, or refused.

Source: ``CONFIG_ENV_VARS`` and the reads of ``localstack/config.py`` in localstack-core 4.14.0, and its
``deprecations.py`` for what it has dropped. Pure. What any program may find in its environment (CI, HOSTNAME,
NO_PROXY, AWS_*) is no setting of LocalStack's, and left alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

_TRUE = ("1", "true")


class Reading(Enum):
    """Which values of a setting ask for something that the engine gives."""

    HONOURED = "honoured"
    ANY = "nothing to change"
    ON = "always on"
    OFF = "always off"
    VALUES = "one value"
    NONE = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One environment variable.

    Attributes:
        why: what the engine does instead, or which effect the setting has.
        values: those that are met anyway, in lower case, where `reading` is `Reading.VALUES`.
    """

    name: str
    reading: Reading
    why: str
    values: frozenset[str] = frozenset()

    def refuses(self, value: str) -> bool:
        """Whether a value, not empty, asks for what the engine does not do."""
        asked = value.strip().lower()
        if self.reading is Reading.ON:
            return asked not in _TRUE
        if self.reading is Reading.OFF:
            return asked in _TRUE
        return self.reading is Reading.NONE or (self.reading is Reading.VALUES and asked not in self.values)


_HONOURED = {
    "GATEWAY_LISTEN": "addresses and the one port to listen on",
    "LOCALSTACK_HOST": "host and port that returned URLs name",
    "DEBUG": "1 logs what helps to find faults",
    "LS_LOG": "level of the engine's log",
    "SERVICES": "only these services answer",
    "STRICT_SERVICE_LOADING": "0 lets every service answer, whatever SERVICES says",
    "EXTRA_CORS_ALLOWED_ORIGINS": "web pages that may call the engine",
    "DISABLE_CORS_CHECKS": "1 lets every web page call the engine",
    "LAMBDA_RUNTIME_EXECUTOR": "docker runs functions as containers",
    "LAMBDA_KEEPALIVE_MS": "how long an execution environment waits for another request",
    "LAMBDA_LIMITS_CONCURRENT_EXECUTIONS": "concurrent executions of an account in a region",
    "LAMBDA_DISABLE_AWS_ENDPOINT_URL": "1 leaves AWS_ENDPOINT_URL out of functions",
    "LAMBDA_RETRY_BASE_DELAY": "seconds before an asynchronous invocation's first retry, then twice that",
}

_ANY = {
    "state is saved as it changes": "SNAPSHOT_FLUSH_INTERVAL",
    "nothing is downloaded": "SKIP_INFRA_DOWNLOADS SKIP_SSL_CERT_DOWNLOAD REMOVE_SSL_CERT",
    "nothing is reported to anybody": """
        DISABLE_EVENTS DEBUG_ANALYTICS LOCALSTACK_TELEMETRY_EDITION LOCALSTACK_TELEMETRY_PRODUCT
        ANALYTICS_API API_ENDPOINT
    """,
    "no licence is needed, and the token goes nowhere": "LOCALSTACK_AUTH_TOKEN LOCALSTACK_API_KEY",
    "all services are there from the start": "EAGER_SERVICE_LOADING",
    "any region name is accepted": "ALLOW_NONSTANDARD_REGIONS",
    "every header a page asks for is allowed": "EXTRA_CORS_ALLOWED_HEADERS",
    "every header of an answer is exposed": "EXTRA_CORS_EXPOSE_HEADERS",
    "the engine calls nothing outside": "OUTBOUND_HTTP_PROXY OUTBOUND_HTTPS_PROXY",
    "requests are served as they come, without a pool of workers": """
        GATEWAY_WORKER_COUNT GATEWAY_WORKER_THREAD_COUNT
    """,
    "read by the localstack command and by docker compose, not by what they start": """
        LOCALSTACK_VOLUME_DIR LOCALSTACK_DOCKER_NAME LOCALSTACK_CLI MAIN_CONTAINER_NAME DOCKER_FLAGS
        DOCKER_CMD CONFIG_PROFILE CONFIG_DIR LOG_LICENSE_ISSUES
    """,
    "names a build of LocalStack": """
        LOCALSTACK_BUILD_DATE LOCALSTACK_BUILD_GIT_HASH LOCALSTACK_BUILD_VERSION
    """,
    "an engine that is told to end ends": "FORCE_SHUTDOWN",
    "the engine has no folder of temporary files": "CLEAR_TMP_FOLDER",
    "the image's own code runs, whatever runtimes AWS has retired": "LAMBDA_RUNTIME_VALIDATION",
}

_ON = {
    "state is always kept, below the data folder; for a fresh start take a fresh volume": "PERSISTENCE",
    "streams are kept with the rest of the state": "KINESIS_PERSISTENCE",
    "an execution environment that ends leaves nothing behind": "LAMBDA_REMOVE_CONTAINERS",
    "KMS keys of buckets are not looked up": "S3_SKIP_KMS_KEY_VALIDATION",
}

_OFF = {
    "presigned URLs are checked, as on AWS": "S3_SKIP_SIGNATURE_VALIDATION",
    "only HTTP is served; put a proxy in front for HTTPS": "USE_SSL",
    "answers say CORS where a web page asks": "DISABLE_CORS_HEADERS DISABLE_PREFLIGHT_PROCESSING",
    "buckets and HTTP APIs keep their own CORS rules": """
        DISABLE_CUSTOM_CORS_S3 DISABLE_CUSTOM_CORS_APIGATEWAY
    """,
    "no answer carries x-localstack: this is not LocalStack": "LOCALSTACK_RESPONSE_HEADER_ENABLED",
    "settings do not change while the engine runs": "ENABLE_CONFIG_UPDATES",
    "a function runs on the architecture of its image alone": "LAMBDA_IGNORE_ARCHITECTURE",
    "CreateFunction answers Pending, as on AWS: wait with `aws lambda wait function-active-v2`": """
        LAMBDA_SYNCHRONOUS_CREATE
    """,
    "images are prepared when they are pushed": "LAMBDA_PREBUILD_IMAGES",
    "debug a function with `understudy invoke --debug`": """
        LAMBDA_DEBUG_MODE LAMBDA_INIT_DEBUG LAMBDA_DEV_PORT_EXPOSE
    """,
    "the engine is debugged from its own checkout": """
        DEVELOP WAIT_FOR_DEBUGGER DEBUG_HANDLER_CHAIN OPENAPI_VALIDATE_REQUEST
        OPENAPI_VALIDATE_RESPONSE INCLUDE_STACK_TRACES_IN_HTTP_RESPONSE
    """,
    "access keys of accounts are twelve digits": "PARITY_AWS_ACCESS_KEY_ID",
    "one process serves everything": "DISTRIBUTED_MODE IN_MEMORY_CLIENT",
    "there is no paid feature to switch on": "ACTIVATE_PRO",
    "containers are started by the Docker command alone": "LEGACY_DOCKER_CLIENT",
    "the delegate has no such switch": """
        TF_COMPAT_MODE CFN_VERBOSE_ERRORS DYNAMODB_SHARE_DB DYNAMODB_REMOVE_EXPIRED_ITEMS
        DYNAMODB_DELAY_TRANSIENT_STATUSES SQS_DELAY_PURGE_RETRY SQS_DELAY_RECENTLY_DELETED
        SQS_ENABLE_MESSAGE_RETENTION_PERIOD SQS_DISABLE_MAX_NUMBER_OF_MESSAGE_LIMIT
        SQS_DISABLE_CLOUDWATCH_METRICS LEGACY_SNS_GCM_PUBLISHING DISABLE_BOTO_RETRIES
        DISABLE_CUSTOM_BOTO_WAITER_CONFIG OVERRIDE_IN_DOCKER
    """,
}

_VALUES = {
    "AWS's own limit is kept": {
        "LAMBDA_LIMITS_MINIMUM_UNRESERVED_CONCURRENCY": "100",
        "LAMBDA_LIMITS_MAX_FUNCTION_ENVVAR_SIZE_BYTES": "4096",
        "LAMBDA_LIMITS_MAX_FUNCTION_PAYLOAD_SIZE_BYTES": "6291556",
        "LAMBDA_LIMITS_CREATE_FUNCTION_REQUEST_SIZE": "70167211",
        "LAMBDA_LIMITS_TOTAL_CODE_SIZE": "80530636800",
        "LAMBDA_LIMITS_CODE_SIZE_ZIPPED": "52428800",
        "LAMBDA_LIMITS_CODE_SIZE_UNZIPPED": "262144000",
    },
    "there is no DNS server; name the engine where names are resolved": {"DNS_ADDRESS": "0 false"},
    "queue URLs are http://HOST:PORT/ACCOUNT/NAME": {"SQS_ENDPOINT_STRATEGY": "off"},
    "state is saved as it changes": {
        "SNAPSHOT_SAVE_STRATEGY": "on_request",
        "SNAPSHOT_LOAD_STRATEGY": "on_startup",
    },
}

_NONE = {
    "LocalStack has removed it; say GATEWAY_LISTEN=ADDRESS:PORT": """
        EDGE_PORT EDGE_PORT_HTTP EDGE_BIND_HOST EDGE_FORWARD_URL LEGACY_EDGE_PROXY
    """,
    "LocalStack has removed it; say LOCALSTACK_HOST=HOST:PORT": """
        HOSTNAME_EXTERNAL LOCALSTACK_HOSTNAME SQS_PORT_EXTERNAL
    """,
    "LocalStack has replaced it by PERSISTENCE; here state lies in --data-dir": """
        DATA_DIR HOST_TMP_FOLDER LEGACY_DIRECTORIES PERSISTENCE_SINGLE_FILE PERSIST_ALL
    """,
    "LocalStack has removed it; a client names its region": "DEFAULT_REGION USE_SINGLE_REGION",
    "LocalStack has replaced it by init hooks, in /etc/localstack/init/ready.d": """
        INIT_SCRIPTS_PATH LEGACY_INIT_DIR KINESIS_INITIALIZE_STREAMS
    """,
    "LocalStack has removed it, and it has no place here": """
        PORT_WEB_UI MOCK_UNIMPLEMENTED KINESIS_PROVIDER KMS_PROVIDER SYNCHRONOUS_API_GATEWAY_EVENTS
        SYNCHRONOUS_DYNAMODB_EVENTS SYNCHRONOUS_KINESIS_EVENTS SYNCHRONOUS_SNS_EVENTS
        SYNCHRONOUS_SQS_EVENTS ES_CUSTOM_BACKEND ES_ENDPOINT_STRATEGY ES_MULTI_CLUSTER
        LAMBDA_CODE_EXTRACT_TIME LAMBDA_CONTAINER_REGISTRY LAMBDA_EXECUTOR LAMBDA_FALLBACK_URL
        LAMBDA_FORWARD_URL LAMBDA_REMOTE_DOCKER LAMBDA_STAY_OPEN_MODE LAMBDA_XRAY_INIT
        LAMBDA_EVENTS_INTERNAL_SQS LAMBDA_EVENT_SOURCE_MAPPING
        LAMBDA_SQS_EVENT_SOURCE_MAPPING_INTERVAL LAMBDA_SQS_EVENT_SOURCE_MAPPING_INTERVAL_SEC
        DNS_LOCAL_NAME_PATTERNS STEPFUNCTIONS_LAMBDA_ENDPOINT LOCAL_PORT_STEPFUNCTIONS
        EVENT_RULE_ENGINE
    """,
    "LocalStack never reads it; say LAMBDA_RETRY_BASE_DELAY": "LAMBDA_RETRY_BASE_DELAY_SECONDS",
    "LocalStack never reads it": "LAMBDA_DEBUG_MODE_CONFIG",
    "a sandbox takes no settings of Docker's, and DOCKER_HOST says where Docker is": """
        LAMBDA_DOCKER_NETWORK LAMBDA_DOCKER_FLAGS LAMBDA_DOCKER_DNS MAIN_DOCKER_NETWORK
        DOCKER_BRIDGE_IP DOCKER_SOCK DOCKER_GLOBAL_IMAGE_PREFIX DOCKER_SDK_DEFAULT_TIMEOUT_SECONDS
        DOCKER_SDK_DEFAULT_RETRIES PORTS_CHECK_DOCKER_IMAGE WINDOWS_DOCKER_MOUNT_PREFIX
        HOSTNAME_FROM_LAMBDA
    """,
    "say LAMBDA_RUNTIME_EXECUTOR": "CONTAINER_RUNTIME",
    "a function has 10 s to initialise, as on Lambda": "LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT",
    "functions are images, with their runtime inside": """
        LAMBDA_RUNTIME_IMAGE_MAPPING LAMBDA_JAVA_OPTS LAMBDA_INIT_BIN_PATH LAMBDA_INIT_BOOTSTRAP_PATH
        LAMBDA_INIT_DELVE_PATH LAMBDA_INIT_DELVE_PORT LAMBDA_INIT_POST_INVOKE_WAIT_MS
        LAMBDA_INIT_RELEASE_VERSION LAMBDA_INIT_USER BUCKET_MARKER_LOCAL INTERNAL_RESOURCE_ACCOUNT
    """,
    "function logs are in CloudWatch Logs, whole": "LAMBDA_TRUNCATE_STDOUT",
    "event source mappings poll at AWS's pace": """
        LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC
        LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_ERROR_SEC
        LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC
    """,
    "debug a function with `understudy invoke --debug`": "LAMBDA_DEBUG_MODE_CONFIG_PATH",
    "there is no DNS server; name the engine where names are resolved": """
        DNS_PORT DNS_SERVER DNS_RESOLVE_IP DNS_VERIFICATION_DOMAIN
        DNS_NAME_PATTERNS_TO_RESOLVE_UPSTREAM
    """,
    "only HTTP is served; put a proxy in front for HTTPS": "CUSTOM_SSL_CERT_PATH",
    "the engine has one server, one log level and one set of parts": """
        GATEWAY_SERVER LOG_LEVEL_OVERRIDES DEVELOP_PORT RUNTIME_COMPONENTS STATE_SERIALIZATION_BACKEND
    """,
    "the delegate has no such setting": """
        BOTO_WAITER_DELAY BOTO_WAITER_MAX_ATTEMPTS CFN_IGNORE_UNSUPPORTED_RESOURCE_TYPES
        CFN_IGNORE_UNSUPPORTED_TYPE_CREATE CFN_IGNORE_UNSUPPORTED_TYPE_UPDATE CFN_NO_WAIT_ITERATIONS
        CFN_PER_RESOURCE_TIMEOUT CFN_STRING_REPLACEMENT_DENY_LIST DYNAMODB_CORS
        DYNAMODB_ERROR_PROBABILITY DYNAMODB_HEAP_SIZE DYNAMODB_IN_MEMORY DYNAMODB_LOCAL_PORT
        DYNAMODB_OPTIMIZE_DB_BEFORE_STARTUP DYNAMODB_READ_ERROR_PROBABILITY
        DYNAMODB_WRITE_ERROR_PROBABILITY EXTERNAL_SERVICE_PORTS_START EXTERNAL_SERVICE_PORTS_END
        SERVICE_INSTANCES_PORTS_START SERVICE_INSTANCES_PORTS_END KINESIS_ERROR_PROBABILITY
        KINESIS_LATENCY KINESIS_MOCK_PERSIST_INTERVAL KINESIS_MOCK_LOG_LEVEL
        KINESIS_MOCK_INITIAL_HEAP_SIZE KINESIS_MOCK_MAXIMUM_HEAP_SIZE KINESIS_MOCK_PROVIDER_ENGINE
        KINESIS_MOCK_VERSION KINESIS_ON_DEMAND_STREAM_COUNT_LIMIT KINESIS_SHARD_LIMIT
        OPENSEARCH_CUSTOM_BACKEND OPENSEARCH_ENDPOINT_STRATEGY OPENSEARCH_JAVA_OPTS
        OPENSEARCH_MULTI_CLUSTER IGNORE_ES_DOWNLOAD_ERRORS IGNORE_OS_DOWNLOAD_ERRORS
        SFN_MOCK_CONFIG SNS_CERT_URL_HOST SNS_SES_SENDER_ADDRESS
        SQS_CLOUDWATCH_METRICS_REPORT_INTERVAL
    """,
}


def _entries() -> Iterator[Setting]:
    for name, why in _HONOURED.items():
        yield Setting(name=name, reading=Reading.HONOURED, why=why)
    groups: Mapping[Reading, Mapping[str, str]] = {
        Reading.ANY: _ANY,
        Reading.ON: _ON,
        Reading.OFF: _OFF,
        Reading.NONE: _NONE,
    }
    for reading, reasons in groups.items():
        for why, names in reasons.items():
            for name in names.split():
                yield Setting(name=name, reading=reading, why=why)
    for why, met in _VALUES.items():
        for name, values in met.items():
            yield Setting(name=name, reading=Reading.VALUES, why=why, values=frozenset(values.split()))


SETTINGS: Mapping[str, Setting] = {setting.name: setting for setting in _entries()}
"""Every setting by its name."""
