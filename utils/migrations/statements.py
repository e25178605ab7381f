"""The SQL that migrating takes beside the files themselves. Pure: texts in, texts out."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from utils.migrations.files import Migration, Names, split_statements

TOOL = "run_migration.py"
LOCK = 0x416E676C6573
"""The advisory lock's key."""

LACKING = "55000"
"""The SQLSTATE (object not in prerequisite state) with which `access` and `one_statement` refuse."""

RELOAD = "notify pgrst, 'reload schema'"

LET_GO = """
do $$ begin
  perform set_config('client_connection_check_interval', '1s', false);
exception when others then null;
end $$
"""
"""A server that can looks every second whether its client still lives: a killed runner's lock does not stay."""

HISTORY = """
create schema if not exists supabase_migrations;
create table if not exists supabase_migrations.schema_migrations
  (version text not null primary key, statements text[], name text);
alter table supabase_migrations.schema_migrations add column if not exists statements text[];
alter table supabase_migrations.schema_migrations add column if not exists name text;
create table if not exists supabase_migrations.angles_applied
  (version text not null primary key, sha256 text not null, applied_at timestamptz not null, seconds real not null,
   tool text not null);
"""

HOLDER = f"""
select format('%s, as %s', coalesce(nullif(a.application_name, ''), 'server process ' || a.pid), a.usename)
from pg_locks l join pg_stat_activity a on a.pid = l.pid
where l.locktype = 'advisory' and l.granted and a.datname = current_database()
  and (l.classid::bigint << 32) | l.objid::bigint = {LOCK} limit 1
"""  # noqa: S608 a constant of ours
"""Who holds the lock, in words."""

TABLES_OF_HISTORY = """
select to_regclass('supabase_migrations.schema_migrations') is not null as versions,
       to_regclass('supabase_migrations.angles_applied') is not null as sums
"""
VERSIONS = "select version, null as sha256 from supabase_migrations.schema_migrations order by 1"
VERSIONS_WITH_SUMS = """
select version, a.sha256 from supabase_migrations.schema_migrations
left join supabase_migrations.angles_applied a using (version) order by 1
"""


@dataclass(frozen=True)
class MigrationReport:
    """What a run did, or in a dry run would do; `notes` are what a person should know besides."""

    applied: tuple[str, ...]
    already: tuple[str, ...]
    seconds: float
    dry_run: bool
    notes: tuple[str, ...] = ()


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def applied_then(version: str, now: datetime) -> str:
    """A query that answers a row where a version is applied, and whether it was applied at that very moment."""
    return (
        f"select applied_at = {literal(now.isoformat())}::timestamptz as ours"  # noqa: S608 literals are quoted
        " from supabase_migrations.schema_migrations left join supabase_migrations.angles_applied using (version)"
        f" where version = {literal(version)}"
    )


def array(texts: Sequence[str]) -> str:
    """Texts as an SQL array."""
    return f"array[{', '.join(map(literal, texts))}]::text[]"


def dollar(text: str, tag: str = "x") -> str:
    """A text in $-quotes that are not in it: as it stands in the file."""
    free = next(name for name in itertools.chain([tag], (f"{tag}{n}" for n in itertools.count())) if name not in text)
    return f"${free}${text}${free}$"


def one_statement(migration: Migration, before: str | None, now: datetime, *, seconds: float = 20) -> str:
    """A whole file with its lock, the look whether it is still to be done, and its entry in the history.

    One statement, hence one transaction, in the SQL editor, in psql and in the Management API alike; a line that the
    server names is the file's. It does nothing where the file is applied already.

    Args:
        migration: the file.
        before: the version that must be the newest one there; None for none.
        now: when it is applied, for the history.
        seconds: how long to wait for another runner.
    """
    found = split_statements(migration.sql)
    parts = ",\n".join(dollar(statement) for _, statement in found)
    lines = ", ".join(str(line) for line, _ in found)
    at_newest = f"is distinct from {literal(before)}" if before else "is not null"
    body = f"""
declare
  holder text;
  begun timestamptz := clock_timestamp();
  lines integer[] := array[{lines}]::integer[];
  statements text[] := array[
{parts}]::text[];
begin
  perform set_config('lock_timeout', '5s', true);
  while not pg_try_advisory_xact_lock({LOCK}) loop
    if clock_timestamp() > begun + interval '{seconds} seconds' then
      holder := ({HOLDER.strip()});
      raise exception using errcode = '55P03', message = format('another runner holds the lock (%s)', holder);
    end if;
    perform pg_sleep(0.2);
  end loop;
  {HISTORY.strip()}
  if exists (select from supabase_migrations.schema_migrations where version = {literal(migration.version)}) then
    raise notice '{migration.file} is applied already';
    return;
  elsif (select max(version) from supabase_migrations.schema_migrations) {at_newest} then
    raise exception using errcode = '{LACKING}', message = '{migration.file} does not follow what is applied here';
  end if;
  for i in 1 .. cardinality(statements) loop
    execute repeat(chr(10), lines[i] - 1) || statements[i];
  end loop;
  insert into supabase_migrations.schema_migrations (version, name, statements)
  values ({literal(migration.version)}, {literal(migration.name)}, statements);
  insert into supabase_migrations.angles_applied
  values ({literal(migration.version)}, {literal(migration.sha256)}, {literal(now.isoformat())},
          extract(epoch from clock_timestamp() - begun), {literal(TOOL)});
end """  # noqa: S608 literals are quoted
    return f"do {dollar(body, 'angles')};\n"


def access(names: Names) -> str:
    """A statement that fails, with SQLSTATE `LACKING`, where service_role cannot use a table or function of ours.

    It looks at privileges, then becomes service_role, reads from each table and calls each function with NULLs, which
    change nothing; a function answers when it fails for another reason than what it lacks. Execute it in a
    transaction that is rolled back, and ask `ACTING_AS` afterwards: a login that is no member of service_role can
    only look at privileges.
    """
    body = f"""
declare
  tables text[] := {array(names.tables)};
  functions text[] := {array(names.functions)};
  lacking text;
  thing record;
begin
  select string_agg(name, ', ' order by name) into lacking from (
    select unnest(tables) as name except select relname from pg_class
    where relnamespace = to_regnamespace('public') and relkind = 'r'
    union all
    select unnest(functions) except select proname from pg_proc where pronamespace = to_regnamespace('public')) t;
  if lacking is not null then
    raise exception using errcode = '{LACKING}', message = format('the database lacks %s', lacking);
  end if;
  select string_agg(name, ', ' order by name) into lacking from (
    select relname as name from pg_class
    where relnamespace = to_regnamespace('public') and relkind = 'r' and relname = any (tables)
      and exists (select from unnest(array['select', 'insert', 'update', 'delete']) p
                  where not has_table_privilege('service_role', oid, p))
    union all
    select proname from pg_proc where pronamespace = to_regnamespace('public') and proname = any (functions)
      and not has_function_privilege('service_role', oid, 'execute')) t;
  if lacking is not null then
    raise exception using errcode = '{LACKING}', message = format('service_role lacks privileges on %s', lacking);
  end if;
  begin
    perform set_config('role', 'service_role', true);
  exception when insufficient_privilege then
    return;
  end;
  for thing in select relname as name from pg_class
    where relnamespace = to_regnamespace('public') and relkind = 'r' and relname = any (tables) loop
    begin
      execute format('select 1 from public.%I limit 1', thing.name);
    exception when syntax_error_or_access_rule_violation then
      raise exception using errcode = '{LACKING}', message = format('%s does not answer (%s)', thing.name, sqlerrm);
    end;
  end loop;
  for thing in select proname as name, (select string_agg('null::' || format_type(t, null), ', ' order by n)
                                        from unnest(proargtypes) with ordinality a (t, n)) as nulls
    from pg_proc where pronamespace = to_regnamespace('public') and proname = any (functions)
      and prorettype <> 'trigger'::regtype loop
    begin
      execute format('select public.%I(%s)', thing.name, thing.nulls);
    exception
      when syntax_error_or_access_rule_violation then
        raise exception using errcode = '{LACKING}', message = format('%s does not answer (%s)', thing.name, sqlerrm);
      when others then
        null;
    end;
  end loop;
end """  # noqa: S608 literals are quoted
    return f"do {dollar(body, 'angles')}"


ACTING_AS = "select current_user::text as role"


def keep(names: Names) -> str:
    """Keeps the schema's fingerprint, which `schema_fingerprint` compares with; nothing where it is kept already."""
    wanted = literal(names.json())
    return f"""
insert into public.sync_state as s (name, value)
select 'schema', jsonb_build_object(
  'fingerprint', md5(public.schema_description({wanted})::text), 'names', {wanted}::jsonb,
  'versions', (select jsonb_agg(version order by version) from supabase_migrations.schema_migrations))
on conflict (name) do update set value = excluded.value, updated_at = clock_timestamp()
where s.value is distinct from excluded.value"""  # noqa: S608 literals are quoted


KEPT = "select 1 as kept from public.sync_state where name = 'schema'"


def may_keep(names: Names) -> bool:
    """Whether the files make what keeping the fingerprint takes."""
    return "schema_description" in names.functions and "sync_state" in names.tables


def pasted(pending: Sequence[Migration], before: str | None, names: Names, now: datetime) -> str:
    """What a person pastes into the SQL editor: each pending file as one statement, then the checks."""
    parts = [
        "-- Pending migrations of the decision vault. Paste all of it into the project's SQL editor and run it.\n"
        "-- Each file is one statement: it is applied as a whole or not at all, and only where it is still missing.\n"
    ]
    for migration in pending:
        parts += [f"-- {migration.file}", one_statement(migration, before, now)]
        before = migration.version
    if may_keep(names):
        parts.append(f"{keep(names).strip()};\n")
    parts.append(f"{RELOAD};\n")
    return "\n".join(parts)
