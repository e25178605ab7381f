-- What intake asks: decisions found in assistant output are kept in intake_items, and go into the vault unless a person
-- has to look at them first. An item and its decision share one id, made from the fingerprint of the text, so that a
-- repeated call adds nothing twice; what was rejected, retired or deleted is known by its item and does not come back.
-- As before: one JSON text in, one jsonb out.

alter table public.intake_items add column if not exists batch uuid;
create index if not exists intake_items_review on public.intake_items (id) where state = 'review';

-- {batch, items: [{id, fingerprint, state, confidence, content, source, supersedes}], activities}: adds the items that
-- are new, the accepted ones to the vault too, and says in agent_activity who did so. What waits for a person and is
-- accepted now, since it was said again and more clearly, goes into the vault as well. {items: [{id, state, new}]}, one
-- for each id; `new` is true of what this batch added or accepted, however often it is sent.
create or replace function public.intake_take(p text) returns jsonb
language plpgsql volatile set search_path = public, pg_temp as $$
declare
  a json := p::json;
  answer jsonb;
begin
  -- one at a time: `on conflict` names the fingerprint alone, and two at once could meet at the id instead
  perform pg_advisory_xact_lock(hashtext('intake_take'));
  with fresh as (
    insert into public.intake_items as i
      (id, fingerprint, decision_id, state, confidence, content, source, supersedes, batch)
    select e.id, e.fingerprint, case when e.state = 'accepted' then e.id end, e.state, e.confidence, e.content,
           e.source, e.supersedes, (a ->> 'batch')::uuid
    from json_to_recordset(a -> 'items')
      e(id uuid, fingerprint text, state text, confidence real, content jsonb, source jsonb, supersedes uuid)
    order by e.id
    on conflict (fingerprint) do update set
      state = excluded.state, decision_id = i.id, confidence = excluded.confidence, content = excluded.content,
      source = excluded.source, supersedes = excluded.supersedes, batch = excluded.batch
    where i.state = 'review' and excluded.state = 'accepted'
    returning i.id, i.state, i.content)
  insert into public.decision_vault (id, decision, date, type, active, comment)
  select f.id, c.decision, c.date, c.type, c.active, c.comment
  from fresh f, jsonb_to_record(f.content) c(decision text, date date, type text, active boolean, comment text)
  where f.state = 'accepted'
  on conflict (id) do nothing;
  perform public.activity_write(json_build_object('items', a -> 'activities')::text);
  select jsonb_agg(jsonb_build_object('id', i.id, 'state', i.state, 'new', i.batch = (a ->> 'batch')::uuid))
  into answer
  from public.intake_items i
  where i.id in (select (e ->> 'id')::uuid from json_array_elements(a -> 'items') e);
  return jsonb_build_object('items', coalesce(answer, '[]'::jsonb));
end $$;

-- {ids}: the state of those that are known: {items: [{id, state}]}.
create or replace function public.intake_known(p text) returns jsonb
language sql stable set search_path = public, pg_temp as $$
  select jsonb_build_object('items', coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'state', i.state)), '[]'::jsonb))
  from public.intake_items i where i.id in (select x::uuid from jsonb_array_elements_text(p::jsonb -> 'ids') x)
$$;

-- {state, least, most, brief, after}: items in one state (null: any) whose ids lie between two, page by page, with what
-- the vault says of them now (`active`; null where it has no such row); `brief`: {id, state, decision, file} alone.
create or replace function public.intake_list(p text) returns jsonb
language sql stable set search_path = public, pg_temp as $$
  with asked as materialized (
    select p::jsonb ->> 'state' as state, coalesce((p::jsonb ->> 'brief')::boolean, false) as brief,
           coalesce((p::jsonb ->> 'least')::uuid, '00000000-0000-0000-0000-000000000000') as least,
           coalesce((p::jsonb ->> 'most')::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff') as most,
           (p::jsonb ->> 'after')::uuid as after
  ), listed as (
    select i.id, case when asked.brief then
        jsonb_build_object('id', i.id, 'state', i.state, 'decision', i.content -> 'decision', 'file', i.source -> 'file')
      else
        jsonb_build_object('id', i.id, 'state', i.state, 'confidence', i.confidence, 'content', i.content,
                           'source', i.source, 'supersedes', i.supersedes, 'seen_at', i.seen_at,
                           'in_vault', v.id is not null, 'active', v.active)
      end as item
    from asked, public.intake_items i left join public.decision_vault v on v.id = i.decision_id
    where (asked.state is null or i.state = asked.state) and i.id between asked.least and asked.most
      and (asked.after is null or i.id > asked.after)
    order by i.id limit 501
  ), fitting as (
    select id, item, row_number() over (order by id) as n, sum(octet_length(item::text)) over (order by id) as bytes
    from listed
  )
  select public.sync_page(
    jsonb_agg(item order by id) filter (where n = 1 or (n <= 500 and bytes <= 1000000)),
    bool_or(n > 1 and (n > 500 or bytes > 1000000))) from fitting
$$;

-- {id, state}: a person accepts an item (it goes into the vault, or is active there again) or rejects it (what the vault
-- has of it is retired): {was, retired}; `was` is null where there is no such item.
create or replace function public.intake_settle(p text) returns jsonb
language plpgsql volatile set search_path = public, pg_temp as $$
declare
  a jsonb := p::jsonb;
  i public.intake_items;
  retired integer := 0;
begin
  select * into i from public.intake_items where id = (a ->> 'id')::uuid for update;
  if found and i.state <> a ->> 'state' then
    if a ->> 'state' = 'accepted' then
      insert into public.decision_vault (id, decision, date, type, active, comment)
      select i.id, c.decision, c.date, c.type, c.active, c.comment
      from jsonb_to_record(i.content) c(decision text, date date, type text, active boolean, comment text)
      on conflict (id) do update set active = excluded.active;
    else
      update public.decision_vault set active = false where id = i.decision_id and active is not false;
      get diagnostics retired = row_count;
    end if;
    update public.intake_items
    set state = a ->> 'state', decision_id = case when a ->> 'state' = 'accepted' then i.id else decision_id end
    where id = i.id;
  end if;
  return jsonb_build_object('was', i.state, 'retired', retired);
end $$;

revoke all on function public.intake_take(text), public.intake_known(text), public.intake_list(text),
  public.intake_settle(text) from public, anon, authenticated;
grant execute on function public.intake_take(text), public.intake_known(text), public.intake_list(text),
  public.intake_settle(text) to service_role;
