from apps.modernization.models.comparisons import (
    DifferenceKind,
    ParallelDifference,
    ParallelRun,
    ParallelStatus,
)
from apps.modernization.models.estate import (
    ChecklistPoint,
    Criticality,
    Documentation,
    InterfaceKind,
    InterfaceStatus,
    LegacyInterface,
    MigrationWave,
)

__all__ = [
    "ChecklistPoint",
    "Criticality",
    "DifferenceKind",
    "Documentation",
    "InterfaceKind",
    "InterfaceStatus",
    "LegacyInterface",
    "MigrationWave",
    "ParallelDifference",
    "ParallelRun",
    "ParallelStatus",
]
