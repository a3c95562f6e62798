"""Results of runs that never were."""

from bench.model import MINISTACK, SAM, UNDERSTUDY, UVICORN, Figures, Host, Results

HOST = Host(
    date="2026-01-02",
    cpu="AMD EPYC",
    cores=2,
    memory_gb=25.2,
    kernel="6.18.44",
    load_before=(0.5, 0.4, 0.3),
    load_after=(1.5, 1.0, 0.5),
    rounds=5,
    disturbed=0,
)
NO_DOCKER = "no Docker engine answers: Cannot connect"


def complete() -> Results:
    """Every figure there is, every limit met."""
    return Results(
        host=HOST,
        contenders=(
            Figures(
                key=UNDERSTUDY,
                title="understudy",
                cold_s=(0.34, 0.33, 0.4),
                warm_p50_ms=(1.4, 1.2, 1.3),
                per_second=(900, 1000, 950),
            ),
            Figures(key=UVICORN, title="uvicorn alone", warm_p50_ms=(0.4,), per_second=(3000,)),
            Figures(key=SAM, title="SAM", cold_s=(1.5,), warm_p50_ms=(11.0,), per_second=(89,)),
            Figures(key=MINISTACK, title="MiniStack", cold_s=(1.0,), warm_p50_ms=(13.0,), per_second=(30,)),
        ),
        exec_import_s=(0.3, 0.31),
        edit_live_s=(0.8, 0.7),
        push_s=(15.0,),
        push_again_s=(0.05, 0.06, 0.04),
        rss_mb={"engine": 58.0, "delegate": 40.0},
        up_first_s=(90.0,),
        up_second_s=(3.0,),
    )


def without_docker() -> Results:
    """What remains on a machine without Docker."""
    found = complete()
    return Results(
        host=HOST,
        contenders=(
            found.of(UNDERSTUDY),
            found.of(UVICORN),
            Figures(key=SAM, title="SAM", absent=NO_DOCKER),
            Figures(key=MINISTACK, title="MiniStack", absent=NO_DOCKER),
        ),
        exec_import_s=found.exec_import_s,
        absent={"docker push and memory after it": NO_DOCKER},
    )
