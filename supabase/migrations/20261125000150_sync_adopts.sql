-- What the sync's functions learned since they were first released: a lease given back is free whatever the clock says, a
-- row that was inserted anew adopts the link of the one it replaces, and a retired row whose page is purged is done.

-- {name, holder, host, boot_id, pid, started, ttl, replace}: the lease's new fence, or null while another holds it.
-- `replace` is the fence of a holder whose process is known to be gone. One given back is free whatever the clock says.
create or replace function public.lease_take(p text) returns bigint
language sql volatile set search_path = public, pg_temp as $$
  insert into public.leases as held (name, holder, host, boot_id, pid, started, fence, expires_at)
  select a ->> 'name', a ->> 'holder', a ->> 'host', a ->> 'boot_id', (a ->> 'pid')::integer, a ->> 'started', 1,
         clock_timestamp() + make_interval(secs => (a ->> 'ttl')::float8)
  from (select p::jsonb as a) as given
  on conflict (name) do update set
    holder = excluded.holder, host = excluded.host, boot_id = excluded.boot_id, pid = excluded.pid,
    started = excluded.started, fence = held.fence + 1, expires_at = excluded.expires_at
  where held.expires_at <= clock_timestamp() or held.holder in ('', excluded.holder)
     or held.fence = (p::jsonb ->> 'replace')::bigint
  returning fence
$$;

-- A retired row whose page is gone for good: whatever is edited in it, there is nothing to be done.
create or replace function public.sync_is_over(v public.decision_vault, l public.sync_links) returns boolean
language sql immutable as $$
  select v.active is false and l.state = 'gone' and l.base_page is null
$$;

-- {after, full}: items that are new, changed, deleted or unfinished; with `full` every one.
create or replace function public.sync_changes(p text) returns jsonb
language sql stable set search_path = public, pg_temp as $$
  with asked as materialized (
    select coalesce((p::jsonb ->> 'full')::boolean, false) as everything, (p::jsonb ->> 'after')::uuid as after
  ), listed as (
    select v, l, coalesce(v.id, l.decision_id) as id, public.sync_size(v, l) as size
    from public.decision_vault v full join public.sync_links l on l.decision_id = v.id
    where ((select everything from asked)
           or case when v.id is null then l.base_row is not null
                   when l.base_row is null then true
                   else public.sync_image(v) <> l.base_row and not public.sync_is_over(v, l) end
           or l.todo is not null or l.intent is not null or l.state = 'announced')
      and ((select after from asked) is null or coalesce(v.id, l.decision_id) > (select after from asked))
    order by coalesce(v.id, l.decision_id) limit 501
  ), fitting as (
    select v, l, id, row_number() over (order by id) as n, sum(size) over (order by id) as bytes from listed
  )
  select public.sync_page(
    jsonb_agg(public.sync_item(v, l) order by id) filter (where n = 1 or (n <= 500 and bytes <= 1000000)),
    bool_or(n > 1 and (n > 500 or bytes > 1000000))) from fitting
$$;

-- One item of sync_write: {id, adopt, expect, set, link, agreed, log}.
--   adopt   the id of a row that is no more, whose link becomes this row's; or null
--   expect  the image the row must have (null: no such row); absent: whatever it has
--   set     columns to write (all five for an insert; the others keep what `expect` says or the row has), or null
--   link    {page_id, state, base_row, base_page, intent, todo}, {"drop": true}, or null
--   agreed  the fields whose value in the row, as it is after the write, goes into the link's base_row
--   log     rows for sync_log, their ids made by the caller so that a repeated call logs nothing twice
create or replace function public.sync_write_item(a jsonb, run text) returns jsonb
language plpgsql volatile set search_path = public, pg_temp as $$
declare
  v public.decision_vault;
  wanted jsonb;
  image jsonb;
  there boolean;
  link jsonb := a -> 'link';
begin
  select * into v from public.decision_vault where id = (a ->> 'id')::uuid for update;
  there := found;
  image := case when there then public.sync_image(v) end;
  wanted := case when jsonb_typeof(a -> 'set') = 'object' then
    coalesce(case when a ? 'expect' then nullif(a -> 'expect', 'null'::jsonb) else image end, '{}'::jsonb)
    || (a -> 'set') end;
  if a ? 'expect' and image is distinct from nullif(a -> 'expect', 'null'::jsonb)
     and (wanted is null or image is distinct from wanted) then
    return jsonb_build_object('id', a -> 'id', 'moved', true, 'row', case when there then
      image || jsonb_build_object('updated_at', v.updated_at, 'synced', v.synced) end);
  end if;

  if wanted is not null and image is distinct from wanted then
    if there then
      update public.decision_vault set
        decision = wanted ->> 'decision', date = (wanted ->> 'date')::date, type = wanted ->> 'type',
        active = (wanted ->> 'active')::boolean, comment = wanted ->> 'comment'
      where id = v.id returning * into v;
    else
      insert into public.decision_vault (id, decision, date, type, active, comment)
      values ((a ->> 'id')::uuid, wanted ->> 'decision', (wanted ->> 'date')::date, wanted ->> 'type',
              (wanted ->> 'active')::boolean, wanted ->> 'comment') returning * into v;
    end if;
    image := public.sync_image(v);
    there := true;
  end if;

  update public.sync_links set decision_id = (a ->> 'id')::uuid, row_by = null
  where decision_id = (a ->> 'adopt')::uuid
    and not exists (select from public.decision_vault o where o.id = (a ->> 'adopt')::uuid);

  insert into public.sync_log (id, run, decision_id, page_id, field, before, after, base, winner, reason)
  select (e ->> 'id')::uuid, run, (a ->> 'id')::uuid, (e ->> 'page_id')::uuid, e ->> 'field', e -> 'before',
         e -> 'after', e -> 'base', e ->> 'winner', e ->> 'reason'
  from jsonb_array_elements(coalesce(nullif(a -> 'log', 'null'::jsonb), '[]'::jsonb)) e
  on conflict (id) do nothing;

  if (link ->> 'drop')::boolean then
    delete from public.sync_links where decision_id = (a ->> 'id')::uuid;
  elsif jsonb_typeof(link) = 'object' then
    insert into public.sync_links as l (decision_id, page_id, state, base_row, base_page, intent, todo, run)
    values ((a ->> 'id')::uuid, (link ->> 'page_id')::uuid, link ->> 'state',
            case when there and jsonb_array_length(coalesce(a -> 'agreed', '[]'::jsonb)) > 0 then
              coalesce(nullif(link -> 'base_row', 'null'::jsonb), '{}'::jsonb)
              || (select jsonb_object_agg(f, image -> f) from jsonb_array_elements_text(a -> 'agreed') f)
            else nullif(link -> 'base_row', 'null'::jsonb) end,
            nullif(link -> 'base_page', 'null'::jsonb), nullif(link -> 'intent', 'null'::jsonb),
            nullif(link -> 'todo', 'null'::jsonb), run)
    on conflict (decision_id) do update set
      page_id = excluded.page_id, state = excluded.state, base_row = excluded.base_row,
      base_page = excluded.base_page, intent = excluded.intent, todo = excluded.todo, run = excluded.run,
      updated_at = clock_timestamp();
  end if;
  return jsonb_build_object('id', a -> 'id', 'moved', false, 'row', case when there then
    image || jsonb_build_object('updated_at', v.updated_at, 'synced', v.synced) end);
end $$;

-- {run, fence, ttl, state, activity}: ticks `synced` where both sides agree or there is but one, keeps the state (null:
-- as it was); or {kept: false} as above.
create or replace function public.sync_confirm(p text) returns jsonb
language plpgsql volatile set search_path = public, pg_temp as $$
declare
  a jsonb := p::jsonb;
  ticked integer;
  linked integer;
begin
  if not public.sync_kept(a) then
    return jsonb_build_object('kept', false);
  end if;
  perform set_config('angles.run', a ->> 'run', true);
  update public.decision_vault v set synced = true from public.sync_links l
  where l.decision_id = v.id and v.synced is not true and l.todo is null and l.intent is null
    and l.state <> 'announced' and (public.sync_image(v) = l.base_row or public.sync_is_over(v, l));
  get diagnostics ticked = row_count;
  perform set_config('angles.run', '', true);
  select count(*) into linked from public.sync_links;
  if jsonb_typeof(a -> 'state') = 'object' then
    insert into public.sync_state (name, value)
    values ('memory_sync', (a -> 'state') || jsonb_build_object('links', linked))
    on conflict (name) do update set value = excluded.value, updated_at = clock_timestamp();
  end if;
  if jsonb_typeof(a -> 'activity') = 'object' then
    insert into public.agent_activity (id, agent_name, action, details, status)
    values ((a -> 'activity' ->> 'id')::uuid, 'memory_sync', 'sync', a -> 'activity' -> 'details',
            a -> 'activity' ->> 'status')
    on conflict (id) do nothing;
  end if;
  return jsonb_build_object('ticked', ticked, 'links', linked);
end $$;

revoke all on function public.sync_is_over(public.decision_vault, public.sync_links) from public, anon, authenticated;
grant execute on function public.sync_is_over(public.decision_vault, public.sync_links) to service_role;
