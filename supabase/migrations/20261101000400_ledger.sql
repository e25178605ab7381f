-- What memory_sync.py's --history, --explain and --undo ask. As before: one JSON text in, one jsonb out.

create index if not exists decision_history_run on public.decision_history (run) where run is not null;

-- The run that inserted the row of a link, until the row goes: nothing else tells, as a new row has no earlier content.
-- A row that was inserted in this very transaction shows it by its created_at.
alter table public.sync_links add column if not exists row_by text;

create or replace function public.sync_links_note_birth() returns trigger
language plpgsql set search_path = public, pg_temp as $$
begin
  if exists (select from public.decision_vault v where v.id = new.decision_id and v.created_at = now()) then
    new.row_by := new.run;
  elsif new.base_row is null then
    new.row_by := null;
  end if;
  return new;
end $$;

create or replace trigger sync_links_note_birth before insert or update on public.sync_links
  for each row execute function public.sync_links_note_birth();

-- One event of the ledger, as ledger_events answers it.
create or replace function public.ledger_event(id text, change public.decision_history, loss public.sync_log)
returns jsonb language sql stable set search_path = public, pg_temp as $$
  select case when loss.id is not null then
    to_jsonb(loss) || jsonb_build_object('id', id, 'kind', 'loss')
  else
    jsonb_build_object(
      'id', id, 'kind', 'change', 'number', change.id, 'decision_id', change.decision_id, 'at', change.changed_at,
      'run', change.run, 'made', change.was -> 'created_at', 'was', change.was,
      'left', case when change.operation = 'update' then coalesce(
        (select later.was from public.decision_history later
         where later.decision_id = change.decision_id and later.id > change.id order by later.id limit 1),
        (select to_jsonb(v) from public.decision_vault v where v.id = change.decision_id)) end)
  end
$$;

-- {decision, after} or {run, after}: what the ledger holds of a decision or of a run, in the order of time. A `change`
-- is a row's earlier content (`was`) and what it gave way to (`left`, null: the row went); a `loss` is a row of sync_log.
create or replace function public.ledger_events(p text) returns jsonb
language sql stable set search_path = public, pg_temp as $$
  with asked as materialized (
    select (p::jsonb ->> 'decision')::uuid as decision, p::jsonb ->> 'run' as run, p::jsonb ->> 'after' as after
  ), changes as (
    select h from public.decision_history h where h.decision_id = (select decision from asked)
    union all select h from public.decision_history h where h.run = (select run from asked)
  ), losses as (
    select g from public.sync_log g where g.decision_id = (select decision from asked)
    union all select g from public.sync_log g where g.run = (select run from asked)
  ), events as (
    select h, null::public.sync_log as g, octet_length((h).was::text) as size,
           to_char((h).changed_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US ') || lpad((h).id::text, 19, '0') as id
    from changes
    union all
    select null, g, coalesce(octet_length((g).before::text), 0) + coalesce(octet_length((g).after::text), 0)
                    + coalesce(octet_length((g).base::text), 0),
           to_char((g).at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US ') || (g).id::text
    from losses
  ), listed as (
    select * from events where (select after from asked) is null or id collate "C" > (select after from asked)
    order by id collate "C" limit 501
  ), fitting as (
    select *, row_number() over (order by id collate "C") as n,
           sum(2 * size + 500) over (order by id collate "C") as bytes from listed
  )
  select public.sync_page(
    jsonb_agg(public.ledger_event(id, h, g) order by id collate "C")
      filter (where n = 1 or (n <= 500 and bytes <= 1000000)),
    bool_or(n > 1 and (n > 500 or bytes > 1000000))) from fitting
$$;

-- {decision}: the pair as it is: {row, link}, either of them null.
create or replace function public.ledger_pair(p text) returns jsonb
language sql stable set search_path = public, pg_temp as $$
  select jsonb_build_object(
    'row', (select public.sync_image(v) || jsonb_build_object('updated_at', v.updated_at, 'synced', v.synced,
                                                              'created_at', v.created_at)
            from public.decision_vault v where v.id = (p::jsonb ->> 'decision')::uuid),
    'link', (select to_jsonb(l) from public.sync_links l where l.decision_id = (p::jsonb ->> 'decision')::uuid))
$$;

-- {run, activities, last}: {known, runs}: whether the run left a trace, the activity rows asked for by their ids, and
-- so many of the last ones, newest first.
create or replace function public.ledger_runs(p text) returns jsonb
language sql stable set search_path = public, pg_temp as $$
  with asked as materialized (
    select p::jsonb ->> 'run' as run, coalesce((p::jsonb ->> 'last')::bigint, 0) as last,
           (select array_agg(x::uuid) from jsonb_array_elements_text(p::jsonb -> 'activities') x) as ids
  ), found as (
    (select a.created_at, a.id, a.status, a.details from public.agent_activity a, asked
     where a.agent_name = 'memory_sync' and a.details ->> 'run' is not null
     order by a.created_at desc, a.id desc limit (select last from asked))
    union select a.created_at, a.id, a.status, a.details from public.agent_activity a, asked
    where a.agent_name = 'memory_sync' and a.details ->> 'run' is not null and a.id = any (asked.ids)
  )
  select jsonb_build_object(
    'known', (select exists (select from public.decision_history h where h.run = asked.run)
                  or exists (select from public.sync_log g where g.run = asked.run)
                  or exists (select from public.sync_links l where asked.run in (l.run, l.row_by))
                  or exists (select from found where found.details ->> 'run' = asked.run) from asked),
    'runs', coalesce((select jsonb_agg(jsonb_build_object('run', details -> 'run', 'at', created_at, 'status', status,
                                                          'details', details) order by created_at desc, id)
                      from found), '[]'::jsonb))
$$;

-- {run, after}: the rows that a run inserted and that are still there.
create or replace function public.ledger_made(p text) returns jsonb
language sql stable set search_path = public, pg_temp as $$
  with listed as (
    select v.id, left(v.decision, 100) as title, row_number() over (order by v.id) as n
    from public.sync_links l join public.decision_vault v on v.id = l.decision_id
    where l.row_by = p::jsonb ->> 'run' and (p::jsonb ->> 'after' is null or v.id > (p::jsonb ->> 'after')::uuid)
    order by v.id limit 501
  )
  select public.sync_page(
    jsonb_agg(jsonb_build_object('id', id, 'title', title) order by id) filter (where n <= 500), bool_or(n > 500))
  from listed
$$;

-- {decisions}: unticks `synced` of those that are not what both sides last agreed on: {unticked}.
create or replace function public.ledger_untick(p text) returns jsonb
language sql volatile set search_path = public, pg_temp as $$
  with unticked as (
    update public.decision_vault v set synced = false
    where v.id = any (select x::uuid from jsonb_array_elements_text(p::jsonb -> 'decisions') x) and v.synced
      and not exists (select from public.sync_links l where l.decision_id = v.id and l.base_row = public.sync_image(v))
    returning 1)
  select jsonb_build_object('unticked', (select count(*) from unticked))
$$;

do $$
declare f record;
begin
  for f in
    select p.oid::regprocedure as signature from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'public' and p.proname in (
      'sync_links_note_birth', 'ledger_events', 'ledger_event', 'ledger_pair', 'ledger_runs',
      'ledger_made', 'ledger_untick')
  loop
    execute format('revoke all on function %s from public, anon, authenticated', f.signature);
    execute format('grant execute on function %s to service_role', f.signature);
  end loop;
end $$;
