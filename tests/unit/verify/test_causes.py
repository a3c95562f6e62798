from tests.fakes.findings import EXTENSION, MISSING, finding, place, rule
from understudy.verify import causes
from understudy.verify.model import Severity

RULES = {
    name: rule(name) for name in ("machine-mismatch", "abi-mismatch", "import-missing", "boot-import", "slow")
}


def ids(found: tuple[causes.Cause, ...]) -> list[str]:
    return [cause.finding.rule for cause in found]


def test_worst_comes_first_then_the_most_fundamental() -> None:
    found = causes.group(
        [
            finding("slow", severity=Severity.SLOW, aws_text="", places=(place("/a"),)),
            finding("import-missing", aws_text="No module named 'b'", places=(place("/b"),)),
            finding("machine-mismatch", aws_text="", places=(place("/c"),)),
        ],
        RULES,
        {},
    )
    assert ids(found) == ["machine-mismatch", "import-missing", "slow"]


def test_one_fault_seen_three_ways_is_one_cause() -> None:
    found = causes.group(
        [
            finding("boot-import", source="boot", places=(place("/var/task/handler.py"),)),
            finding("import-missing", places=(place("/var/lang/pydantic_core/__init__.py"),)),
            finding("abi-mismatch"),
        ],
        RULES,
        {},
    )
    (cause,) = found
    assert cause.finding.rule == "abi-mismatch"
    assert [one.rule for one in cause.consequences] == ["import-missing", "boot-import"]
    assert cause.seen_by_boot


def test_the_importing_handler_makes_no_difference() -> None:
    other = MISSING.replace("'handler'", "'dashboard.handler'")
    found = causes.group([finding("boot-import", source="boot", aws_text=other), finding()], RULES, {})
    assert len(found) == 1


def test_a_boot_that_names_the_file_follows_from_the_file() -> None:
    found = causes.group(
        [
            finding("machine-mismatch", aws_text=""),
            finding(
                "boot-import",
                source="boot",
                aws_text=f"Runtime.ImportModuleError: Unable to import module 'handler': {EXTENSION}: cannot "
                "open shared object file: No such file or directory",
                places=(place("/var/task/handler.py"),),
            ),
        ],
        RULES,
        {},
    )
    assert ids(found) == ["machine-mismatch"]


def test_two_faults_in_one_file_are_two_causes() -> None:
    found = causes.group([finding(aws_text=""), finding("machine-mismatch", aws_text="")], RULES, {})
    assert ids(found) == ["machine-mismatch", "abi-mismatch"]


def test_two_missing_modules_are_two_causes() -> None:
    found = causes.group(
        [
            finding("import-missing", aws_text=MISSING),
            finding("import-missing", aws_text=MISSING.replace("pydantic_core._", "other._")),
        ],
        RULES,
        {},
    )
    assert len(found) == 2


def test_information_neither_causes_nor_follows() -> None:
    found = causes.group([finding(), finding("slow", severity=Severity.INFO)], RULES, {})
    assert ids(found) == ["abi-mismatch", "slow"]


def test_what_is_allowed_comes_last_with_its_reason() -> None:
    found = causes.group(
        [finding(), finding("slow", severity=Severity.SLOW, aws_text="", places=(place("/a"),))],
        RULES,
        {"abi-mismatch": "known"},
    )
    assert [(cause.finding.rule, cause.reason) for cause in found] == [
        ("slow", ""),
        ("abi-mismatch", "known"),
    ]


def test_a_cause_is_as_severe_as_the_worst_below_it() -> None:
    mild = finding("machine-mismatch", severity=Severity.MAY_FAIL)
    (cause,) = causes.group([mild, finding("boot-import", source="boot")], RULES, {})
    assert cause.severity is Severity.FAILS
