"""Event source mappings: queues and DynamoDB streams that are read on behalf of functions."""

from understudy.engine.functions.sources.model import SourceMapping
from understudy.engine.functions.sources.operations import MappingOperations
from understudy.engine.functions.sources.pollers import Pollers
from understudy.engine.functions.sources.table import MappingTable
from understudy.engine.functions.sources.tools import PollTimes, Tools

__all__ = ["MappingOperations", "MappingTable", "PollTimes", "Pollers", "SourceMapping", "Tools"]
