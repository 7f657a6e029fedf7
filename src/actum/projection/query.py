"""A question, typed: what somebody wants to know, answered from views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, dataclass_transform

import msgspec

from actum.journal.event import Kind, MessageType

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    AnswerT = TypeVar("AnswerT", default=Any)
else:
    from typing import TypeVar

    AnswerT = TypeVar("AnswerT")


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Query(msgspec.Struct, Generic[AnswerT], metaclass=MessageType):
    """Something to be answered from views: `class Richest(Query): at_least: Decimal`. Typed and named like commands.

    `class Richest(Query[Page[Balance]])` also tells type checkers what the answer is.
    """

    __kind__: ClassVar[Kind]
