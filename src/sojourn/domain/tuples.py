"""Named tuples made without the function that names their fields, for the few places that make one a statement."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias, TypeVar, cast

_Tuple = TypeVar("_Tuple", bound=tuple[Any, ...])
Maker: TypeAlias = Callable[[tuple[object, ...]], _Tuple]


def maker(kind: type[_Tuple]) -> Maker[_Tuple]:
    """Makes named tuples from one tuple of their fields, which has to hold all of them in order.

    The gateway makes eight such tuples a statement, and the function that names the fields takes three times as long
    as the tuple itself.
    """
    return cast("Maker[_Tuple]", partial(tuple.__new__, kind))
