"""The documents of the API, version 2, as pydantic models; they also make the OpenAPI description.

Requests are read strictly (no "true" for true) and may hold no member that is not described.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from dashboard.model import Configuration
from dashboard.tickers import SYMBOL_PATTERN, Ticker


def _without_repeats(symbols: list[str]) -> list[str]:
    """The symbols in upper case, each once, in order."""
    return list(dict.fromkeys(symbol.upper() for symbol in symbols))


def _no_null(schema: dict[str, Any]) -> None:
    """Describe a member that may be left out but not be null."""
    schema.pop("default", None)
    [described] = (option for option in schema.pop("anyOf") if option != {"type": "null"})
    schema.update(described)


Name = Annotated[
    str,
    Field(min_length=1, max_length=100, pattern=r"\S", examples=["Tech"]),
    AfterValidator(str.strip),
]
Symbol = Annotated[str, Field(pattern=SYMBOL_PATTERN, examples=["AAPL"])]
Tickers = Annotated[
    list[Symbol],
    Field(min_length=1, max_length=5, examples=[["AAPL", "MSFT"]]),
    AfterValidator(_without_repeats),
]


class NewConfiguration(BaseModel):
    """A configuration to create."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Name
    tickers: Tickers
    active: bool = True


class ConfigurationPatch(BaseModel):
    """New values for some members of a configuration; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"minProperties": 1})

    name: Name | None = Field(default=None, json_schema_extra=_no_null)
    tickers: Tickers | None = Field(default=None, json_schema_extra=_no_null)
    active: bool | None = Field(default=None, json_schema_extra=_no_null)

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_null(cls, value: object) -> object:
        """Refuse null, which a merge patch would take for "remove": no member can be removed."""
        if value is None:
            raise ValueError("must not be null")
        return value

    @model_validator(mode="after")
    def _refuse_nothing(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("must change at least one member")
        return self


class ConfigurationOut(BaseModel):
    """A configuration as it is stored."""

    id: str
    name: str
    tickers: list[str]
    active: bool
    version: int = Field(description="Counts the changes; the ETag is made of it.")
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, configuration: Configuration) -> "ConfigurationOut":
        """The document of a configuration."""
        return cls(
            id=configuration.id,
            name=configuration.name,
            tickers=list(configuration.tickers),
            active=configuration.active,
            version=configuration.version,
            created_at=configuration.created_at,
            updated_at=configuration.updated_at,
        )


class ConfigurationPage(BaseModel):
    """Some of a user's configurations, oldest first."""

    items: list[ConfigurationOut]
    next_cursor: str | None = Field(description="The `cursor` of the next page; null on the last one.")


class TickerOut(BaseModel):
    """A ticker that a configuration may name."""

    symbol: str
    name: str
    exchange: str | None

    @classmethod
    def of(cls, ticker: Ticker) -> "TickerOut":
        """The document of a ticker."""
        return cls(symbol=ticker.symbol, name=ticker.name, exchange=ticker.exchange)


class TickerMatches(BaseModel):
    """The tickers that match a search, best first."""

    items: list[TickerOut]


class TickerValidation(BaseModel):
    """Whether a symbol is a known ticker, and which."""

    symbol: str
    valid: bool
    ticker: TickerOut | None


class Health(BaseModel):
    """The process is up; says nothing about what it depends on."""

    status: Literal["ok"] = "ok"
    version: str
    git_sha: str


class Readiness(BaseModel):
    """Everything the service depends on answers."""

    status: Literal["ready"] = "ready"
    checks: dict[str, str] = Field(examples=[{"table": "ok", "bucket": "ok"}])
