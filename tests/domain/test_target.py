"""Which role gives no more than another: what an approver may give less of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sojourn.domain.identifiers import RoleName
from sojourn.domain.target import ObjectKind, Privilege, Recording, Role, Verb, narrower

PRIVILEGE = Privilege(
    schema="shop", verbs=(Verb.SELECT, Verb.UPDATE), names=("orders", "items"), columns=("status", "total")
)
EVERY_TABLE = replace(PRIVILEGE, names=(), columns=())
WIDE = Role(name=RoleName("wide"), privileges=(PRIVILEGE,), connections_max=4, as_owner="owner", account="")


def _with(privilege: Privilege, **changes: object) -> Role:
    return replace(WIDE, privileges=(replace(privilege, **changes),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "narrow",
    [
        WIDE,
        replace(WIDE, connections_max=3),
        replace(WIDE, as_owner=""),
        replace(WIDE, privileges=()),
        replace(WIDE, mark_rows_over=100),
        _with(PRIVILEGE, verbs=(Verb.SELECT,)),
        _with(PRIVILEGE, names=("orders",)),
        _with(PRIVILEGE, columns=("status",)),
    ],
)
def test_what_is_left_out_makes_a_role_narrower(narrow: Role) -> None:
    assert narrower(narrow, WIDE)


@pytest.mark.parametrize(
    "other",
    [
        replace(WIDE, connections_max=5),
        replace(WIDE, as_owner="another"),
        replace(WIDE, account="login"),
        replace(WIDE, recording=Recording.BEFORE_RELEASE),
        replace(WIDE, replication=True),
        _with(PRIVILEGE, schema="bank"),
        _with(PRIVILEGE, kind=ObjectKind.SEQUENCE),
        _with(PRIVILEGE, verbs=(Verb.SELECT, Verb.DELETE)),
        _with(PRIVILEGE, names=("orders", "customers")),
        _with(PRIVILEGE, names=()),
        _with(PRIVILEGE, columns=("status", "card")),
        _with(PRIVILEGE, columns=()),
        replace(WIDE, privileges=(PRIVILEGE, replace(PRIVILEGE, schema="bank"))),
    ],
)
def test_what_gives_anything_more_is_not_narrower(other: Role) -> None:
    assert not narrower(other, WIDE)


def test_a_named_table_or_column_lies_within_all_of_them_and_not_the_other_way_round() -> None:
    every = replace(WIDE, privileges=(EVERY_TABLE,))
    assert narrower(WIDE, every) and not narrower(every, WIDE)


def test_each_privilege_may_lie_within_another_one() -> None:
    both = replace(WIDE, privileges=(PRIVILEGE, replace(PRIVILEGE, schema="bank")))
    assert narrower(_with(PRIVILEGE, schema="bank", names=("items",)), both)


def test_what_is_marked_with_the_wider_role_is_marked_with_the_narrower_one() -> None:
    marks = replace(WIDE, mark_rows_over=100)
    assert narrower(marks, marks) and narrower(replace(WIDE, mark_rows_over=50), marks)
    assert not narrower(WIDE, marks)
    assert not narrower(replace(WIDE, mark_rows_over=101), marks)


def test_a_role_that_replicates_says_so_and_is_not_one_that_only_reads() -> None:
    replicates = Role(name=RoleName("copy"), replication=True)
    assert replicates.opens == ("replication: a copy of every database of the server",)
    assert not replicates.reads_only
    assert narrower(WIDE, replace(WIDE, replication=True))


def test_an_account_is_lent_only_where_it_is_lent_anyway() -> None:
    lends = replace(WIDE, account="login")
    assert narrower(lends, lends) and narrower(WIDE, lends)
    assert not narrower(replace(WIDE, account="another"), lends)


def test_a_privilege_says_in_one_line_what_it_gives() -> None:
    assert str(PRIVILEGE) == "SELECT, UPDATE (status, total) on shop.orders, shop.items"
    assert str(EVERY_TABLE) == "SELECT, UPDATE on every table of schema shop"
