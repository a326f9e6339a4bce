"""Whether a PostgreSQL role can only read: one that can write is refused, whatever it means to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from auditor.errors import AuditUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection

_SHOWN = 3
# The role of the session and every role that it is a member of, however far: what one of them may do, the
# session may do, by inheritance or SET ROLE. A superuser is a member of all, so it is asked for first.
_ROLES = """WITH mine AS (
    SELECT oid, rolname FROM pg_roles
    WHERE pg_has_role(session_user, oid, 'MEMBER') OR pg_has_role(current_user, oid, 'MEMBER')
), schemas AS (
    SELECT oid, nspname FROM pg_namespace
    WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND nspname NOT LIKE 'pg\\_temp\\_%'
    AND nspname NOT LIKE 'pg\\_toast\\_temp\\_%'
) """
_ATTRIBUTES = """SELECT rolname,
    CASE WHEN rolsuper THEN 'a superuser' WHEN rolcreaterole THEN 'allowed to make roles (CREATEROLE)'
        ELSE 'allowed to make databases (CREATEDB)' END
FROM pg_roles JOIN mine USING (oid, rolname) WHERE rolsuper OR rolcreaterole OR rolcreatedb
ORDER BY rolsuper DESC, (rolname = session_user) DESC, rolname"""
_PREDEFINED = """SELECT rolname, 'a member of ' || rolname FROM mine WHERE rolname IN
    ('pg_write_all_data', 'pg_write_server_files', 'pg_execute_server_program', 'pg_database_owner')
ORDER BY rolname"""
# What was granted on columns alone shows in has_any_column_privilege.
_TABLES = """SELECT mine.rolname, 'allowed to ' || granted.name || ' ' || schemas.nspname || '.' || relname
FROM pg_class JOIN schemas ON schemas.oid = relnamespace CROSS JOIN mine
CROSS JOIN (VALUES ('INSERT'), ('UPDATE'), ('DELETE'), ('TRUNCATE'), ('TRIGGER')) AS granted (name)
WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND (has_table_privilege(mine.oid, pg_class.oid, granted.name)
    OR CASE WHEN granted.name IN ('INSERT', 'UPDATE')
        THEN has_any_column_privilege(mine.oid, pg_class.oid, granted.name) END)
ORDER BY schemas.nspname, relname, granted.name, mine.rolname"""
_SEQUENCES = """SELECT mine.rolname, 'allowed to advance ' || schemas.nspname || '.' || relname
FROM pg_class JOIN schemas ON schemas.oid = relnamespace CROSS JOIN mine
WHERE relkind = 'S' AND has_sequence_privilege(mine.oid, pg_class.oid, 'USAGE, UPDATE')
ORDER BY schemas.nspname, relname, mine.rolname"""
_SCHEMAS = """SELECT mine.rolname, 'allowed to CREATE in schema ' || nspname FROM schemas CROSS JOIN mine
WHERE has_schema_privilege(mine.oid, schemas.oid, 'CREATE') ORDER BY nspname, mine.rolname"""
_DATABASE = """SELECT rolname, 'allowed to CREATE schemas in the database' FROM mine
WHERE has_database_privilege(oid, current_database(), 'CREATE') ORDER BY rolname"""
_OWNED = """SELECT mine.rolname, 'the owner of ' || pg_describe_object(classid, objid, objsubid)
FROM pg_shdepend JOIN mine ON refclassid = 'pg_authid'::regclass AND refobjid = mine.oid
JOIN pg_database AS here ON here.datname = current_database()
WHERE deptype = 'o' AND (dbid = here.oid OR (classid = 'pg_database'::regclass AND objid = here.oid))
ORDER BY 2, mine.rolname"""
_DEFINERS = """SELECT mine.rolname,
    'allowed to run ' || pg_proc.oid::regprocedure || ' with its owner''s rights'
FROM pg_proc JOIN schemas ON schemas.oid = pronamespace CROSS JOIN mine
WHERE prosecdef AND has_function_privilege(mine.oid, pg_proc.oid, 'EXECUTE') ORDER BY 2, mine.rolname"""
_GRANTS = (_PREDEFINED, _OWNED, _TABLES, _SEQUENCES, _SCHEMAS, _DATABASE, _DEFINERS)
_READ = """SELECT relkind::text, relrowsecurity FROM pg_class WHERE oid = to_regclass(:name)"""
_CHILDREN = """WITH RECURSIVE children AS (
    SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass(:name)
    UNION SELECT pg_inherits.inhrelid FROM pg_inherits JOIN children ON inhparent = children.inhrelid
) SELECT count(*) FROM children JOIN pg_class ON pg_class.oid = inhrelid WHERE relkind = 'f'"""


def verify_read_only(connection: Connection, tables: Sequence[str]) -> None:
    """Refuse (AuditUnavailable, saying why) a session that could write, or that may not see every row.

    Looked for are rights anywhere in the database, not only on `tables`, since a right elsewhere may
    reach them (a trigger, a function with its owner's rights). `tables` are what will be read: real
    tables without row security, by the names that the session's search path gives them.
    """
    name = connection.scalar(text("SELECT session_user"))
    reasons = [_phrase(name, *found) for found in _found(connection, _ATTRIBUTES)]
    # A superuser is allowed everything; there is no use in listing it.
    if not reasons:
        reasons = [_phrase(name, *found) for query in _GRANTS for found in _found(connection, query)]
    if reasons:
        shown = "; ".join(reasons[:_SHOWN])
        more = f"; and {len(reasons) - _SHOWN} more" if len(reasons) > _SHOWN else ""
        raise AuditUnavailable(
            f"the audit does not start with a database role that can write: {name} is {shown}{more}; "
            "docs/verification.md says how to make one that only reads"
        )
    for table in tables:
        _verify_table(connection, table)


def _found(connection: Connection, query: str) -> Iterator[tuple[str, str]]:
    for role, what in connection.execute(text(_ROLES + query)):
        yield str(role), str(what)


def _phrase(name: str, role: str, what: str) -> str:
    return what if role == name or role.startswith("pg_") else f"a member of {role}, which is {what}"


def _verify_table(connection: Connection, table: str) -> None:
    _verify_real(connection, table)
    # From here on nobody can put something else in its place until the transaction ends.
    connection.execute(text(f"SELECT FROM {table} LIMIT 0"))
    _verify_real(connection, table)


def _verify_real(connection: Connection, table: str) -> None:
    row = connection.execute(text(_READ), {"name": table}).first()
    if row is None:
        raise AuditUnavailable(f"the platform's database has no table {table} in the role's search path")
    kind, secured = row
    if kind not in ("r", "p") or connection.scalar(text(_CHILDREN), {"name": table}):
        raise AuditUnavailable(
            f"{table} in the platform's database is a view or a foreign table, which can hide rows; "
            "the audit reads tables"
        )
    if secured:
        raise AuditUnavailable(
            f"{table} in the platform's database has row security, which can hide rows; "
            "the audit reads tables without"
        )
