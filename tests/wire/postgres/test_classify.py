"""Labels: a table of statements, every kind of statement the parser knows, and hostile texts."""

import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from postgast import pg_query_pb2

from sojourn.gateway.postgres.classify import TEXT_BYTES_MAX, _label, classify, without_constants
from sojourn.gateway.postgres.vocabulary import ROOT_CLASSES, VerbClass

R, W, D, P, T, S = (
    VerbClass.READ,
    VerbClass.WRITE,
    VerbClass.DDL,
    VerbClass.PRIVILEGE,
    VerbClass.TRANSACTION,
    VerbClass.SESSION,
)
O, A, M = VerbClass.OUTBOUND, VerbClass.ADMIN, VerbClass.MIXED  # noqa: E741

HARMLESS = [
    ("select 1", R),
    ("table orders", R),
    ("values (1), (2)", R),
    ("select o.id, count(*) from shop.orders o left join customers c on c.id = o.customer group by 1", R),
    ("((SELECT id FROM a)) ;", R),
    ("(SELECT 1) INTERSECT (SELECT 2)", R),
    ("SELECT $tag$ ; DROP TABLE t; -- $tag$", R),
    ("SELECT $a$ x $b$ ; $b$ $a$", R),
    ("select '; drop table t; --'", R),
    ("select 1 /* ; delete from t */ -- ; delete", R),
    ("EXPLAIN DELETE FROM t", R),
    ("EXPLAIN (ANALYZE false) DELETE FROM t", R),
    ("EXPLAIN (ANALYZE 0, COSTS off) DELETE FROM t", R),
    ("EXPLAIN ANALYZE SELECT 1", R),
    ("with a as (select 1 as x) select x from a where x in (1, 2) and exists (select 1)", R),
    ("select pg_catalog.lower(name), now(), extract(year from now()), current_user from t", R),
    ("select sum(x) over (partition by y order by z) from t", R),
    ("select x::text || 'a', x between 1 and 2, x ~ 'a', x is distinct from y, x = any(y) from t", R),
    ("select j -> 'a' ->> 'b' from t", R),
    ("select x OPERATOR(pg_catalog.+) 1 from t", R),
    ("show search_path", R),
    ("declare c cursor for select 1", R),
    ("fetch 10 from c", R),
    ("copy t to stdout", VerbClass.COPY_OUT),
    ("copy (select 1) to stdout with (format csv)", VerbClass.COPY_OUT),
    ("begin", T),
    ("begin read only", T),
    ("commit", T),
    ("rollback to savepoint a", T),
    ("set transaction isolation level serializable", T),
    ("set application_name = 'x'", S),
    ("set statement_timeout to 1000", S),
    ("reset statement_timeout", S),
    ("listen orders", S),
    ("close c", S),
    ("deallocate s", VerbClass.PREPARED),
    ("prepare s as select 1", VerbClass.PREPARED),
    ("", VerbClass.EMPTY),
    (" ; -- nothing", VerbClass.EMPTY),
    ("select 1; select 2", R),
    ("begin; select 1", M),
]

MAY_WRITE = [
    ("insert into t values (1)", W),
    ("update t set a = 1 where id = 1", W),
    ("delete from t", W),
    ("merge into t using s on t.id = s.id when matched then delete", W),
    ("truncate t", W),
    ("WITH x AS (SELECT 1) UPDATE t SET a=1", W),
    ("with gone as (delete from t returning *) select * from gone", W),
    ("with a as (with b as (insert into t values (1) returning 1) select 1) select 1", W),
    ("EXPLAIN ANALYZE DELETE FROM t", W),
    ("EXPLAIN (BUFFERS, ANALYZE) UPDATE t SET a = 1", W),
    ("EXPLAIN (ANALYZE off, ANALYZE) DELETE FROM t", W),
    ("EXPLAIN (ANALYZE maybe) DELETE FROM t", W),
    ("explain analyze execute s", VerbClass.PREPARED),
    ("explain select f(1)", R),
    ("select 1 for update", R),
    ("select * from t for share", R),
    ("select * into copy_of_t from t", D),
    ("create table x as select 1", D),
    ("create table users (id int)", D),
    ("drop table t", D),
    ("alter table t add column a int", D),
    ("create index on t (a)", D),
    ("create view v as select 1", D),
    ("create function f() returns int language sql as 'select 1'", D),
    ("comment on table t is 'x'", D),
    ("refresh materialized view v", W),
    ("select my_function(1)", R),
    ("select myschema.lower('A')", R),
    ("select myschema.dblink('x')", R),
    ("select 1 OPERATOR(my.+) 2", R),
    ("select 1 === 2", R),
    ("SELECT pg_read_file('/etc/passwd')", A),
    ("select pg_ls_dir('/')", A),
    ("select lo_export(1, '/tmp/x')", A),
    ("select pg_terminate_backend(1)", A),
    ("select pg_reload_conf()", A),
    ("SELECT pg_catalog.pg_import_system_collations('pg_catalog')", A),
    ("BEGIN READ ONLY; SELECT pg_import_system_collations('pg_catalog')", M),
    ("select dblink_exec('host=x', 'drop table t')", O),
    ("SELECT dblink('x')", O),
    ("SELECT pg_catalog.dblink('x')", O),
    ("select set_config('work_mem', '1', false)", S),
    ("SELECT set_config('role','admin',false)", P),
    ("select set_config('ro' || 'le', 'admin', false)", P),
    ("WITH a AS (SELECT set_config('role','x',true)) SELECT 1", P),
    ("select nextval('s')", W),
    ("select lo_create(0)", W),
    ("select pg_notify('a', 'b')", S),
    ("select pg_advisory_lock(1)", R),
    ("SET ROLE admin", P),
    ("SET LOCAL ROLE x", P),
    ("reset role", P),
    ("set session authorization x", P),
    ("SET ROLE admin; DROP TABLE t", M),
    ("COMMIT; DROP TABLE t", M),
    ("SET TRANSACTION READ WRITE", T),
    ("BEGIN READ WRITE", T),
    ("START TRANSACTION READ WRITE", T),
    ("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE", T),
    ("prepare transaction 'x'", T),
    ("commit prepared 'x'", T),
    ("SET default_transaction_read_only=off", S),
    ("SET standard_conforming_strings=off", S),
    ("set search_path to x", S),
    ("set client_encoding to 'SJIS'", S),
    ("reset all", S),
    ("discard all", S),
    ("notify a", S),
    ("lock table t", T),
    ("grant select on t to x", P),
    ("grant a to b", P),
    ("alter role x superuser", P),
    ("create user x password 'y'", P),
    ("drop role x", P),
    ("alter table t owner to x", D),
    ("alter function f() owner to x", P),
    ("create policy p on t", P),
    ("alter default privileges grant select on tables to x", P),
    ("CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '169.254.169.254')", O),
    ("IMPORT FOREIGN SCHEMA a FROM SERVER s INTO b", O),
    ("create user mapping for x server s options (password 'y')", O),
    ("create subscription s connection 'host=x' publication p", O),
    ("copy t from stdin", VerbClass.COPY_IN),
    ("copy t from '/tmp/x'", VerbClass.COPY_IN),
    ("copy t to '/tmp/x'", VerbClass.COPY_OUT),
    ("COPY (SELECT 1) TO PROGRAM 'sh'", VerbClass.COPY_OUT),
    ("copy (delete from t returning *) to stdout", VerbClass.COPY_OUT),
    ("DO $$ begin delete from t; end $$", VerbClass.PROCEDURAL),
    ("CALL p()", VerbClass.PROCEDURAL),
    ("prepare s as delete from t", VerbClass.PREPARED),
    ("execute s", VerbClass.PREPARED),
    ("declare c cursor for select f(1)", R),
    ("vacuum t", A),
    ("checkpoint", A),
    ("alter system set work_mem = '1MB'", A),
    ("load 'x'", A),
    ("create database x", A),
]

BLOCKS: dict[str, tuple[str, bool, tuple[str, ...]]] = {
    "deletes": ("DO $$ begin delete from shop.orders where id = 3; end $$", True, ("shop.orders",)),
    "only-reads": ("do 'declare n int; begin select count(*) into n from a; perform 1 from b; end'", False, ("a", "b")),
    "assigns": (
        "do $$ declare n int := (select 1 from a); begin n := (select max(id) from b); end $$",
        False,
        ("a", "b"),
    ),
    "in-a-condition": ("do $$ begin if exists (select from a) then null; end if; end $$", False, ("a",)),
    "writes-in-a-branch": (
        "do $$ begin if 1 = 2 then while true loop update a set x = 1; end loop; end if; end $$",
        True,
        ("a",),
    ),
    "writes-in-a-handler": ("do $$ begin perform 1; exception when others then truncate a; end $$", True, ("a",)),
    "loops-over-rows": (
        "do $$ declare r record; begin for r in select * from a loop null; end loop; end $$",
        False,
        ("a",),
    ),
    "unknown-function": ("do $$ declare n int; begin n := own_function(); end $$", True, ()),
    "unknown-function-in-a-default": ("do $$ declare n int := own_function(); begin null; end $$", True, ()),
    "unknown-function-in-a-message": ("do $$ begin raise notice '%', own_function(); end $$", True, ()),
    "put-together": ("do $$ begin execute 'drop table ' || 'a'; end $$", True, ()),
    "put-together-for-a-loop": (
        "do $$ declare r record; begin for r in execute 'delete from a' loop end loop; end $$",
        True,
        (),
    ),
    "put-together-for-a-cursor": (
        "do $$ declare c refcursor; begin open c for execute 'delete from a'; end $$",
        True,
        (),
    ),
    "calls": ("do $$ begin call p(); end $$", True, ()),
    "commits": ("do $$ begin commit; end $$", True, ()),
    "block-in-a-block": ("do $a$ begin do $b$ begin perform 1 from a; end $b$; end $a$", True, ()),
    "other-language": ("do language plpython3u $$ import os $$", True, ()),
    "prints-itself": ("do $$#option dump\nbegin perform 1 from a; end $$", True, ()),
    "no-plpgsql": ("do $$ begin delete from $$", True, ()),
    "our-own-quote": ("do $x$ begin perform '$sojourn$' from a; end$sojourn$x$", True, ()),
    "deep": ("do $$ begin " + "if true then " * 300 + "delete from a; " + "end if; " * 300 + "end $$", True, ("a",)),
    "too-deep": ("do $$ " + "begin " * 600 + "null; " + "end; " * 599 + "end $$", True, ()),
}

UNPARSED = [
    "DROP",
    "###@@@???",
    "UPDATE employee SET",
    "select 1; drop",
    "SELECT '\\'' ; DROP TABLE victim; --'" + "'",
    "select 'open",
    "EXECUTE IMMEDIATE 'DROP TABLE t'",
    "select 1\0; drop table t",
    "select '\ud800'",
    "select 1 " + "-- x" * 100_000 + "\n; drop table t",
    "select '" + "ü" * 5_000 + "'",
]


@pytest.mark.parametrize(("sql", "verb"), HARMLESS)
def test_a_harmless_statement_is_labelled_so(sql: str, verb: VerbClass) -> None:
    label = classify(sql)
    assert (label.verb, label.may_write, label.parsed) == (verb, False, True)


@pytest.mark.parametrize(("sql", "verb"), MAY_WRITE)
def test_a_statement_that_may_write_is_labelled_so(sql: str, verb: VerbClass) -> None:
    label = classify(sql)
    assert (label.verb, label.may_write, label.parsed) == (verb, True, True)


@pytest.mark.parametrize(("sql", "may_write", "tables"), BLOCKS.values(), ids=BLOCKS)
def test_a_block_is_labelled_by_what_is_in_it(
    sql: str, may_write: bool, tables: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    label = classify(sql)
    assert (label.verb, label.may_write, label.tables, label.parsed) == (VerbClass.PROCEDURAL, may_write, tables, True)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "sql",
    [
        "IDENTIFY_SYSTEM",
        " start_replication SLOT s LOGICAL 0/0",
        "BASE_BACKUP (LABEL 'x')",
        "CREATE_REPLICATION_SLOT s PHYSICAL",
        "DROP_REPLICATION_SLOT s; DROP TABLE t",
        "UPLOAD_MANIFEST",
    ],
)
def test_a_command_of_replication_is_labelled_so(sql: str) -> None:
    label = classify(sql)
    assert (label.verb, label.may_write, label.parsed) == (VerbClass.REPLICATION, True, False)


@pytest.mark.parametrize("sql", ["IDENTIFY_SYSTEMS", "(IDENTIFY_SYSTEM", "-- x\nIDENTIFY_SYSTEM"])
def test_what_only_looks_like_a_command_of_replication_is_not(sql: str) -> None:
    assert classify(sql).verb is VerbClass.UNPARSED


@pytest.mark.parametrize("sql", UNPARSED)
def test_a_text_that_cannot_be_parsed_whole_may_write(sql: str) -> None:
    label = classify(sql)
    assert (label.verb, label.may_write, label.parsed, label.statements) == (VerbClass.UNPARSED, True, False, 0)


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("select * from a join shop.b on true where x in (select 1 from c)", ("a", "shop.b", "c")),
        ("with users as (select * from users) select * from users", ("users",)),
        ("with u as (select 1) select * from u", ()),
        ("with recursive u as (select 1 union all select * from u) select * from u", ()),
        ("with a as (select * from b), b as (select 1) select * from a, b", ("b",)),
        ("with t as (select 1 as x) insert into t select x from t", ("t",)),
        ("with u as (select 1) select * from s.u", ("s.u",)),
        ("select * from (with u as (select 1) select * from u) v, u", ("u",)),
        ('select * from "Odd.name"', ('"Odd.name"',)),
        ("drop table shop.a, b", ("shop.a", "b")),
        ("truncate a, b", ("a", "b")),
        ("grant select on shop.orders to x", ("shop.orders",)),
        ("copy shop.orders to stdout", ("shop.orders",)),
        ("update a set x = 1; delete from b", ("a", "b")),
        ("CREATE TABLE users (id int)", ("users",)),
    ],
)
def test_the_tables_a_statement_names_are_told(sql: str, tables: tuple[str, ...]) -> None:
    assert sorted(classify(sql).tables) == sorted(tables)


def test_statements_are_counted_and_tables_are_bounded() -> None:
    assert classify("select 1; select 2;").statements == 2
    assert len(classify("select 1 from " + ", ".join(f"t{n}" for n in range(500))).tables) == 64


def test_every_kind_of_statement_of_the_parser_has_a_class() -> None:
    inside_others = {"raw_stmt", "set_operation_stmt", "return_stmt", "plassign_stmt"}
    known = {field.name for field in pg_query_pb2.Node.DESCRIPTOR.fields if field.name.endswith("_stmt")}
    assert known - inside_others == set(ROOT_CLASSES)


def nested(before: str, opening: str, middle: str, closing: str, after: str = "") -> str:
    count = (TEXT_BYTES_MAX - len(before + middle + after)) // len(opening + closing)
    return before + opening * count + middle + closing * count + after


DEEP = {
    "operators": nested("select ", "1+", "1", ""),
    "casts": nested("select 1", "::int", "", ""),
    "concatenations": nested("select a", "||b", "", ""),
    "parentheses": nested("select ", "(", "1", ")"),
    "unions": nested("", "select 1 union ", "select 1", ""),
    "functions": nested("select ", "f(", "1", ")"),
    "subqueries": nested("select * from ", "(select * from ", "t", ") a"),
    "joins": nested("select * from t", " join t on true", "", ""),
    "with queries": nested("", "with a as (", "select 1", ") select 1"),
    "negations": nested("select ", "not ", "true", ""),
    "comments": nested("", "/*", "", "*/", "select 1"),
    "statements": nested("", "select 1;", "", ""),
    "columns": nested("select a", ",a", "", ""),
    "values": nested("insert into t values (1)", ",(1)", "", ""),
    "collations": nested("select a", " collate x", "", ""),
    "cases": nested("select ", "case when true then ", "1", " end"),
    "subscripts": nested("select a", "[1]", "", ""),
}


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("select a, t.b, s.t.c from t", ("a", "b", "c")),
        ("select * from t", ("*",)),
        ("select t.* from t where t.a = 1 order by b", ("*", "b", "a")),
        ("select count(*) from t", ()),
        ("select a as shown from t", ("a",)),
        ("insert into t(a, b) values (1, 2)", ("a", "b")),
        ("insert into t values (1)", ()),
        ("insert into t(a) values (1) on conflict (a) do update set b = excluded.c", ("a", "b", "c")),
        ("update t set a = b where c = 1 returning d", ("a", "b", "c", "d")),
        ("merge into t using s on t.i = s.i when matched then update set a = s.b", ("a", "i", "b")),
        ("copy t(a, b) to stdout", ("a", "b")),
        ("copy (select a from t) to stdout", ("a",)),
        ("explain select a from t", ("a",)),
        ("select 'a', $1", ()),
        ("select a from t; select b from u", ("a", "b")),
        (
            "select " + ", ".join(f"c{place}" for place in range(100)) + " from t",
            tuple(f"c{place}" for place in range(64)),
        ),
    ],
)
def test_the_columns_that_a_text_names_are_found(sql: str, columns: tuple[str, ...]) -> None:
    assert set(classify(sql).columns) == set(columns)
    assert len(classify(sql).columns) == len(columns)


@pytest.mark.parametrize("shape", DEEP)
def test_a_hostile_text_is_labelled_within_a_tenth_of_a_second(shape: str) -> None:
    sql = DEEP[shape]
    assert len(sql) > TEXT_BYTES_MAX - 100
    spent = []
    for turn in range(3):
        before = time.process_time()
        classify(sql[:-1] + " " * turn + sql[-1:])
        spent.append(time.process_time() - before)
    assert min(spent) < 0.1


def test_no_hostile_text_overflows_a_stack_of_four_mebibytes() -> None:
    # In a process of its own, because a stack overflow in C ends the process.
    program = (
        "import sys, threading\n"
        "from sojourn.gateway.postgres.classify import classify\n"
        "texts = sys.stdin.read().split(chr(1))\n"
        "threading.stack_size(4 << 20)\n"
        "thread = threading.Thread(target=lambda: [classify(text) for text in texts])\n"
        "thread.start(); thread.join(); print(len(texts))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input="\1".join(DEEP.values()), capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout.strip()) == (0, str(len(DEEP))), done.stderr


@given(st.text(max_size=300) | st.text(alphabet="select1*from(t);'\"$-/\\ \n", max_size=200))
def test_any_text_gets_a_label(sql: str) -> None:
    label = classify(sql)
    assert label.parsed or label.may_write


_WORDS = """select insert update delete from into values set where limit explain analyze (analyze) set_config float
    status shop.orders t1 t_2 id = + . , ( ) :: ; ' '' " $ $1 $$ \\ -- /* */ E'a' U&'b' B'1' 0 1 7 15 0x1f 1e5
    99999999999999999999 'role' 'it''s' '1; drop' 12a a12 \u20ac \u20ac1 \u0663 interval '1' copy to program"""
_PIECES = _WORDS.split()


@given(st.lists(st.sampled_from(_PIECES), max_size=12), st.sampled_from(["", " "]))
def test_constants_that_are_taken_for_alike_change_no_label(pieces: list[str], between: str) -> None:
    text = between.join(["select ", *pieces])
    whole, known = _label.__wrapped__(text), _label.__wrapped__(without_constants(text))
    if whole.parsed and known.parsed:
        assert whole == known


def test_statements_that_differ_in_constants_alone_are_parsed_once() -> None:
    texts = [f"select status from shop.orders where id = {place} and note = 'n{place}';" for place in range(50)]
    assert len({without_constants(text) for text in texts}) == 1


@pytest.mark.parametrize(
    "text",
    [
        "select set_config('role', 'admin', false)",
        'select 1 from "orders 1"',
        "select $a$ 1 $a$",
        "select 1; explain (analyze 1) delete from t",
        "explain (analyze 0) delete from t",
        "select E'\\' or 1'",
        "select 1 -- it's 2",
        "select a\u20ac1 from t",
    ],
)
def test_a_text_whose_constants_may_matter_is_left_as_it_is(text: str) -> None:
    assert without_constants(text) == text
