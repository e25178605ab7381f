-- What the sync does in the database. Every function takes one JSON text and answers one jsonb value, so that psycopg
-- and Supabase's REST API (rpc) call the same thing; each may be repeated after an unclear answer. SYNC.md's names:
-- an *image* is a decision's five content fields as jsonb; an *item* is {id, row, link}, either of them null.

-- Runs for every row of the vault, so it is written to be inlined: it has no search_path of its own, its callers have.
create or replace function public.sync_image(v public.decision_vault) returns jsonb
language sql stable as $$
  select pg_catalog.jsonb_build_object('decision', v.decision, 'date', v.date, 'type', v.type, 'active', v.active,
                                       'comment', v.comment)
$$;

create or replace function public.sync_item(v public.decision_vault, l public.sync_links) returns jsonb
language sql stable set search_path = public, pg_temp as $$
  select jsonb_build_object(
    'id', coalesce(v.id, l.decision_id),
    'row', case when v.id is not null then
      public.sync_image(v) || jsonb_build_object('updated_at', v.updated_at, 'synced', v.synced) end,
    'link', case when l.decision_id is not null then
      jsonb_build_object('page_id', l.page_id, 'state', l.state, 'base_row', l.base_row, 'base_page', l.base_page,
                         'intent', l.intent, 'todo', l.todo,
                         'fresh', l.updated_at > now() - interval '10 minutes') end)
$$;

-- About how many bytes an item takes.
create or replace function public.sync_size(v public.decision_vault, l public.sync_links) returns bigint
language sql stable set search_path = public, pg_temp as $$
  select coalesce(octet_length(v.decision), 0)::bigint + coalesce(octet_length(v.comment), 0)
       + coalesce(octet_length(l.base_row::text), 0) + coalesce(octet_length(l.base_page::text), 0)
       + coalesce(octet_length(l.intent::text), 0) + coalesce(octet_length(l.todo::text), 0) + 300
$$;

-- A page of a listing: {items, next}; `next` continues after the last item while there are more.
create or replace function public.sync_page(items jsonb, more boolean) returns jsonb
language sql immutable
return jsonb_build_object('items', coalesce(items, '[]'::jsonb), 'next', case when more then items -> -1 -> 'id' end);

-- {name, holder, host, boot_id, pid, started, ttl, replace}: the lease's new fence, or null while another holds it.
-- `replace` is the fence of a holder whose process is known to be gone.
create or replace function public.lease_take(p text) returns bigint
language sql volatile set search_path = public, pg_temp as $$
  insert into public.leases as held (name, holder, host, boot_id, pid, started, fence, expires_at)
  select a ->> 'name', a ->> 'holder', a ->> 'host', a ->> 'boot_id', (a ->> 'pid')::integer, a ->> 'started', 1,
         clock_timestamp() + make_interval(secs => (a ->> 'ttl')::float8)
  from (select p::jsonb as a) as given
  on conflict (name) do update set
    holder = excluded.holder, host = excluded.host, boot_id = excluded.boot_id, pid = excluded.pid,
    started = excluded.started, fence = held.fence + 1, expires_at = excluded.expires_at
  where held.expires_at <= clock_timestamp() or held.holder = excluded.holder
     or held.fence = (p::jsonb ->> 'replace')::bigint
  returning fence
$$;

-- {name, fence, ttl}: keeps the lease for `ttl` seconds more: {kept}; false when another run has it now.
create or replace function public.lease_keep(p text) returns jsonb
language sql volatile set search_path = public, pg_temp as $$
  with kept as (
    update public.leases
    set expires_at = greatest(expires_at, clock_timestamp() + make_interval(secs => (p::jsonb ->> 'ttl')::float8))
    where name = p::jsonb ->> 'name' and fence = (p::jsonb ->> 'fence')::bigint returning 1)
  select jsonb_build_object('kept', (select count(*) = 1 from kept))
$$;

-- {fence, ttl} of the sync's lease: whether it is still that run's, and kept.
create or replace function public.sync_kept(a jsonb) returns boolean
language sql volatile set search_path = public, pg_temp as $$
  select (public.lease_keep(jsonb_build_object('name', 'memory_sync', 'fence', a -> 'fence', 'ttl', a -> 'ttl')::text)
          ->> 'kept')::boolean
$$;

-- {name, fence}: gives the lease back; nothing happens when it is no longer ours.
create or replace function public.lease_release(p text) returns jsonb
language sql volatile set search_path = public, pg_temp as $$
  with released as (
    update public.leases set expires_at = clock_timestamp(), fence = fence + 1, holder = ''
    where name = p::jsonb ->> 'name' and fence = (p::jsonb ->> 'fence')::bigint returning 1)
  select jsonb_build_object('released', (select count(*) from released))
$$;

-- {lease: {…}} takes the lease, {} only looks: {fence, busy, state, links, live}.
create or replace function public.sync_begin(p text) returns jsonb
language plpgsql volatile set search_path = public, pg_temp as $$
declare
  lease jsonb := p::jsonb -> 'lease';
  fence bigint;
  busy jsonb;
begin
  if jsonb_typeof(lease) = 'object' then
    fence := public.lease_take(lease::text);
    if fence is null then
      select to_jsonb(l) into busy from public.leases l where l.name = lease ->> 'name';
    end if;
  end if;
  return jsonb_build_object(
    'fence', fence, 'busy', busy,
    'state', (select s.value from public.sync_state s where s.name = 'memory_sync'),
    'links', (select count(*) from public.sync_links),
    'live', (select count(*) from public.sync_links where state = 'linked'));
end $$;

-- Listings answer pages: items in the order of their ids, as many as fit in 500 and about 1 MB, one at least. They
-- choose them by size first: no item is built that is not sent.

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
                   else public.sync_image(v) <> l.base_row end
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

-- {pages, decisions, bin, after}: items by page id or row id; with `bin` (the exact list of trashed pages) also those
-- whose page was in the trash and is not in it now.
create or replace function public.sync_lookup(p text) returns jsonb
language sql stable set search_path = public, pg_temp as $$
  with asked as materialized (
    select (select array_agg(x::uuid) from jsonb_array_elements_text(p::jsonb -> 'pages') x) as pages,
           (select array_agg(x::uuid) from jsonb_array_elements_text(p::jsonb -> 'decisions') x) as decisions,
           (select coalesce(array_agg(x::uuid), '{}')
            from jsonb_array_elements_text(nullif(p::jsonb -> 'bin', 'null'::jsonb)) x) as bin,
           jsonb_typeof(p::jsonb -> 'bin') = 'array' as with_bin, (p::jsonb ->> 'after')::uuid as after
  ), ids as (
    select l.decision_id as id from public.sync_links l, asked where l.page_id = any (asked.pages)
    union select d from asked, unnest(asked.decisions) d
    union select l.decision_id from public.sync_links l, asked
      where asked.with_bin and l.state = 'trashed' and l.page_id <> all (asked.bin)
  ), listed as (
    select v, l, ids.id, public.sync_size(v, l) as size
    from ids left join public.decision_vault v on v.id = ids.id left join public.sync_links l on l.decision_id = ids.id
    where (v.id is not null or l.decision_id is not null)
      and ((select after from asked) is null or ids.id > (select after from asked))
    order by ids.id limit 501
  ), fitting as (
    select v, l, id, row_number() over (order by id) as n, sum(size) over (order by id) as bytes from listed
  )
  select public.sync_page(
    jsonb_agg(public.sync_item(v, l) order by id) filter (where n = 1 or (n <= 500 and bytes <= 1000000)),
    bool_or(n > 1 and (n > 500 or bytes > 1000000))) from fitting
$$;

-- One item of sync_write: {id, expect, set, link, agreed, log}.
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

-- {run, fence, ttl, items}: {results: [{id, moved, row} or {id, error}]}, an item's refusal leaves the others alone;
-- {kept: false}, and nothing done, when another run has the lease now.
create or replace function public.sync_write(p text) returns jsonb
language plpgsql volatile set search_path = public, pg_temp as $$
declare
  a jsonb := p::jsonb;
  item jsonb;
  results jsonb[] := '{}';
begin
  if not public.sync_kept(a) then
    return jsonb_build_object('kept', false);
  end if;
  perform set_config('angles.run', a ->> 'run', true);
  for item in select value from jsonb_array_elements(a -> 'items') loop
    begin
      results := results || public.sync_write_item(item, a ->> 'run');
    exception when data_exception or integrity_constraint_violation or program_limit_exceeded or raise_exception then
      results := results || jsonb_build_object('id', item -> 'id', 'error', sqlerrm);
    end;
  end loop;
  perform set_config('angles.run', '', true);
  return jsonb_build_object('results', to_jsonb(results));
end $$;

-- {run, fence, ttl, state, activity}: ticks `synced` where both sides agree, keeps the state (null: as it was); or
-- {kept: false} as above.
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
    and l.state <> 'announced' and public.sync_image(v) = l.base_row;
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

-- Equal for equal contents, `active` aside: NULL and '' are one.
create or replace function public.sync_key(image jsonb) returns text language sql immutable
return jsonb_build_array(coalesce(image ->> 'decision', ''), image ->> 'date', coalesce(image ->> 'type', ''),
                         coalesce(image ->> 'comment', ''))::text;

-- {side: "vault"|"notion", images}: how many of the images equal something that side already has.
create or replace function public.sync_twins(p text) returns jsonb
language sql stable set search_path = public, pg_temp as $$
  with asked as (
    select public.sync_key(e) as key from jsonb_array_elements(p::jsonb -> 'images') e
  ), have as (
    select public.sync_key(public.sync_image(v)) as key from public.decision_vault v
    where p::jsonb ->> 'side' = 'vault'
    union all
    select public.sync_key(l.base_page) from public.sync_links l
    where p::jsonb ->> 'side' = 'notion' and l.state = 'linked'
  )
  select jsonb_build_object('twins', (select count(*) from asked where key in (select key from have)))
$$;

-- {items: [{id, decision, date, type, active, comment}]}: adds those whose id is new; {added}.
create or replace function public.decisions_add(p text) returns jsonb
language sql volatile set search_path = public, pg_temp as $$
  with added as (
    insert into public.decision_vault (id, decision, date, type, active, comment)
    select e.id, e.decision, e.date, e.type, e.active, e.comment
    from json_to_recordset(p::json -> 'items') e(id uuid, decision text, date date, type text, active boolean, comment text)
    on conflict (id) do nothing returning 1)
  select jsonb_build_object('added', (select count(*) from added))
$$;

-- Whether no decision was ever here: {new}.
create or replace function public.vault_is_new(p text) returns jsonb
language sql stable set search_path = public, pg_temp as $$
  select jsonb_build_object('new', p is not null
    and not exists (select from public.decision_vault) and not exists (select from public.decision_history)
    and not exists (select from public.sync_links))
$$;

do $$
declare f record;
begin
  for f in
    select p.oid::regprocedure as signature from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'public' and p.proname in (
      'sync_image', 'sync_item', 'sync_size', 'sync_page', 'lease_take', 'lease_keep', 'sync_kept', 'lease_release',
      'sync_begin', 'sync_changes', 'sync_lookup', 'sync_write_item', 'sync_write', 'sync_confirm',
      'sync_key', 'sync_twins', 'decisions_add', 'vault_is_new')
  loop
    execute format('revoke all on function %s from public, anon, authenticated', f.signature);
    execute format('grant execute on function %s to service_role', f.signature);
  end loop;
end $$;
