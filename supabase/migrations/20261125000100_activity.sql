-- Who did what: the rows that every script writes into agent_activity, by one function for both ways to the vault.

-- {items: [{id, agent_name, action, details, status}]}: adds them, or, where an id is there, says how it stands now
-- (details and status); {written}. May be repeated.
create or replace function public.activity_write(p text) returns jsonb
language sql volatile set search_path = public, pg_temp as $$
  with written as (
    insert into public.agent_activity as a (id, agent_name, action, details, status)
    select e.id, left(e.agent_name, 100), left(e.action, 100), e.details, left(e.status, 50)
    from json_to_recordset(p::json -> 'items')
      e(id uuid, agent_name text, action text, details jsonb, status text)
    on conflict (id) do update set details = excluded.details, status = excluded.status
    returning 1)
  select jsonb_build_object('written', (select count(*) from written))
$$;

revoke all on function public.activity_write(text) from public, anon, authenticated;
grant execute on function public.activity_write(text) to service_role;
