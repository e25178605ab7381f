-- What the backup reads and the restore writes. As before: one JSON text in, one jsonb out. The tables of a backup and
-- their keys are here and in utils/backup/snapshot.py.

create or replace function public.backup_key(wanted text) returns text
language plpgsql immutable set search_path = public, pg_temp as $$
begin
  if wanted in ('decision_vault', 'sync_log', 'decision_history', 'agent_activity') then
    return 'id';
  elsif wanted = 'sync_links' then
    return 'decision_id';
  end if;
  raise exception 'a backup has no table %', wanted;
end $$;

-- {}: {at, rows: {table: count}}.
create or replace function public.backup_counts(p text) returns jsonb
language sql volatile set search_path = public, pg_temp set timezone = 'UTC' as $$
  select jsonb_build_object('at', clock_timestamp(), 'asked', p is not null, 'rows', jsonb_build_object(
    'decision_vault', (select count(*) from public.decision_vault),
    'sync_links', (select count(*) from public.sync_links),
    'sync_log', (select count(*) from public.sync_log),
    'decision_history', (select count(*) from public.decision_history),
    'agent_activity', (select count(*) from public.agent_activity)))
$$;

-- {table, after}: whole rows after a key, in its order, as many as fit in 500 and about 1 MB, one at least: {items, next}.
create or replace function public.backup_read(p text) returns jsonb
language plpgsql stable set search_path = public, pg_temp set timezone = 'UTC' as $$
declare
  a jsonb := p::jsonb;
  answer jsonb;
begin
  execute format($q$
    with listed as (
      select t.%1$I as key, to_jsonb(t) as item from public.%2$I t
      where $1 is null or t.%1$I > $1::%3$s order by t.%1$I limit 501
    ), fitting as (
      select key, item, row_number() over (order by key) as n,
             sum(octet_length(item::text)) over (order by key) as bytes from listed
    )
    select jsonb_build_object(
      'items', coalesce(jsonb_agg(item order by key) filter (where n = 1 or (n <= 500 and bytes <= 1000000)), '[]'),
      'next', case when bool_or(n > 1 and (n > 500 or bytes > 1000000)) then
        (array_agg(key::text order by key desc) filter (where n = 1 or (n <= 500 and bytes <= 1000000)))[1] end)
    from fitting $q$,
    public.backup_key(a ->> 'table'), a ->> 'table',
    case a ->> 'table' when 'decision_history' then 'bigint' else 'uuid' end)
  into answer using a ->> 'after';
  return answer;
end $$;

-- {run, table, rows}: adds rows as a backup has them, ids and stamps and all, where their keys are new: {added: [key]}.
-- Columns that the table lacks are left out, those that the rows lack get their defaults.
create or replace function public.restore_add(p text) returns jsonb
language plpgsql volatile set search_path = public, pg_temp as $$
declare
  a jsonb := p::jsonb;
  into_table text := a ->> 'table';
  key text := public.backup_key(into_table);
  columns text;
  added jsonb;
  top bigint;
begin
  select string_agg(format('%I', k.name), ', ') into columns
  from jsonb_object_keys(a -> 'rows' -> 0) k(name)
  join pg_attribute c on c.attrelid = format('public.%I', into_table)::regclass and c.attname = k.name
   and c.attnum > 0 and not c.attisdropped and c.attgenerated = '';
  if columns is null then
    return jsonb_build_object('added', '[]'::jsonb);
  end if;
  perform set_config('angles.run', a ->> 'run', true);
  execute format(
    'with added as (
       insert into public.%1$I (%2$s) overriding system value
       select %2$s from jsonb_populate_recordset(null::public.%1$I, $1) on conflict do nothing returning %3$I as key)
     select coalesce(jsonb_agg(key), ''[]'') from added', into_table, columns, key)
  into added using a -> 'rows';
  perform set_config('angles.run', '', true);
  if into_table = 'decision_history' then -- ids are given, so the next one has to be told
    select max(h.id) into top from public.decision_history h;
    perform nextval('public.decision_history_id_seq')
    from public.decision_history_id_seq s, generate_series(s.last_value, top);
  end if;
  return jsonb_build_object('added', added);
end $$;

-- One item of restore_change; true when it was carried out, false when the row is no longer what was expected.
create or replace function public.restore_change_item(a jsonb) returns boolean
language plpgsql volatile set search_path = public, pg_temp as $$
declare
  v public.decision_vault;
  wanted public.decision_vault;
  from_table text := coalesce(a ->> 'table', 'decision_vault');
begin
  if from_table <> 'decision_vault' then
    execute format('delete from public.%I t where t.%I::text = $1', from_table, public.backup_key(from_table))
    using a ->> 'id';
    return true;
  end if;
  select * into v from public.decision_vault where id = (a ->> 'id')::uuid for update;
  if (case when found then public.sync_image(v) end) is distinct from nullif(a -> 'expect', 'null'::jsonb) then
    return false;
  end if;
  if jsonb_typeof(a -> 'row') is distinct from 'object' then
    delete from public.decision_vault where id = v.id;
  elsif v.id is null then
    perform public.restore_add(jsonb_build_object('run', current_setting('angles.run', true),
                                                  'table', 'decision_vault', 'rows', jsonb_build_array(a -> 'row'))::text);
  else
    wanted := jsonb_populate_record(v, a -> 'row');
    update public.decision_vault
    set decision = wanted.decision, date = wanted.date, type = wanted.type, active = wanted.active,
        comment = wanted.comment
    where id = v.id;
    update public.decision_vault -- by itself, since a change of content is stamped with its own time
    set created_at = wanted.created_at, updated_at = wanted.updated_at
    where id = v.id;
  end if;
  return true;
end $$;

-- {run, items: [{table, id, expect, row}]}: puts a decision in place of what is expected there (null: nothing; images,
-- as the sync has them), `row` null deletes it; of other tables, deletes a row. {moved: [id]} are those left alone.
create or replace function public.restore_change(p text) returns jsonb
language plpgsql volatile set search_path = public, pg_temp as $$
declare
  a jsonb := p::jsonb;
  item jsonb;
  moved jsonb := '[]';
begin
  for item in select value from jsonb_array_elements(a -> 'items') loop
    perform set_config('angles.run', a ->> 'run', true);
    if not public.restore_change_item(item) then
      moved := moved || jsonb_build_array(item -> 'id');
    end if;
  end loop;
  perform set_config('angles.run', '', true);
  return jsonb_build_object('moved', moved);
end $$;

revoke all on function public.backup_key(text), public.backup_counts(text), public.backup_read(text),
  public.restore_add(text), public.restore_change_item(jsonb), public.restore_change(text)
  from public, anon, authenticated;
grant execute on function public.backup_key(text), public.backup_counts(text), public.backup_read(text),
  public.restore_add(text), public.restore_change_item(jsonb), public.restore_change(text) to service_role;
