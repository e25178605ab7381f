-- What the monitor asks of the vault, each in one call. As before: one JSON text in, one jsonb out.

-- {}: where the vault stands: {at, rows: {total, active, unsynced, oldest_unsynced}, types, weeks: [{week, new}] of the
-- last 26, conflicts (decisions with a held field), leases (those that are held), lacking (what the caller may not do),
-- open (what others than service_role may do), unprotected (tables without row-level security)}.
create or replace function public.health_look(p text) returns jsonb
language sql stable set search_path = public, pg_temp as $$
  with tables as (
    select c.oid as id, c.relname::text as name, c.relrowsecurity as protected
    from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
      and c.relname in ('decision_vault', 'agent_activity', 'decision_history', 'sync_links', 'sync_log', 'sync_state',
                        'leases', 'job_claims', 'intake_items')
  ), functions as (
    select f.oid as id, f.proname::text as name from pg_proc f
    where f.pronamespace = 'public'::regnamespace
      and f.proname in ('sync_begin', 'sync_changes', 'sync_write', 'sync_confirm', 'decisions_add', 'activity_write')
  ), others as (
    select rolname::text as name from pg_roles where rolname in ('anon', 'authenticated')
  )
  select jsonb_build_object(
    'at', clock_timestamp(),
    'rows', (
      select jsonb_build_object('total', count(*), 'active', count(*) filter (where v.active),
        'unsynced', count(*) filter (where v.synced is not true),
        'oldest_unsynced', min(v.updated_at) filter (where v.synced is not true))
      from public.decision_vault v),
    'types', (
      select coalesce(jsonb_object_agg(t.type, t.many), '{}')
      from (select coalesce(v.type, '') as type, count(*) as many from public.decision_vault v
            group by 1 order by 2 desc limit 50) t),
    'weeks', (
      select coalesce(jsonb_agg(jsonb_build_object('week', w.week, 'new', w.many) order by w.week), '[]')
      from (select date_trunc('week', v.created_at at time zone 'UTC')::date as week, count(*) as many
            from public.decision_vault v where v.created_at > clock_timestamp() - interval '26 weeks' group by 1) w),
    'conflicts', (
      select count(*) from public.sync_links l
      where jsonb_typeof(l.todo -> 'held') = 'array' and jsonb_array_length(l.todo -> 'held') > 0),
    'leases', (
      select coalesce(jsonb_agg(to_jsonb(l)), '[]') from public.leases l
      where l.holder <> '' and l.expires_at > clock_timestamp()),
    'lacking', (
      select coalesce(jsonb_agg(each.what order by each.what), '[]') from (
        select right_ || ' on ' || t.name as what
        from tables t cross join unnest(array['select', 'insert', 'update', 'delete']) right_
        where not has_table_privilege(t.id, right_)
        union all
        select 'execute on ' || f.name from functions f where not has_function_privilege(f.id, 'execute')) each),
    'open', (
      select coalesce(jsonb_agg(each.what order by each.what), '[]') from (
        select o.name || ' on ' || t.name as what from others o cross join tables t
        where has_table_privilege(o.name, t.id, 'select, insert, update, delete')
        union all
        select o.name || ' on ' || f.name from others o cross join functions f
        where has_function_privilege(o.name, f.id, 'execute')) each),
    'unprotected', (select coalesce(jsonb_agg(t.name order by t.name), '[]') from tables t where not t.protected))
$$;

-- {id}: writes a row of agent_activity, reads it, deletes it, in one transaction, so that it is never left behind.
create or replace function public.health_probe(p text) returns jsonb
language plpgsql volatile set search_path = public, pg_temp as $$
declare
  probe uuid := (p::jsonb ->> 'id')::uuid;
  found boolean;
  gone integer;
begin
  insert into public.agent_activity (id, agent_name, action, status) values (probe, 'backend_monitor', 'probe', 'done');
  select true into found from public.agent_activity a where a.id = probe;
  delete from public.agent_activity a where a.id = probe;
  get diagnostics gone = row_count;
  return jsonb_build_object('read', coalesce(found, false), 'deleted', gone);
end $$;

revoke all on function public.health_look(text), public.health_probe(text) from public, anon, authenticated;
grant execute on function public.health_look(text), public.health_probe(text) to service_role;
