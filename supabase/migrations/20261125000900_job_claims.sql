-- Who runs a slot of a job, where several hosts share one database: one row a slot, by the database's own clock.
-- `fence` counts how often a slot was given away, `attempt` how often its run was begun; a slot is settled once.

alter table public.job_claims add column if not exists outcome text;

-- {job, slot, holder, ttl, grace}: gives a slot to `holder` for `ttl` seconds. That is the slot asked for, or the oldest
-- one of the last `grace` seconds whose holder is dead. {granted, slot, fence, attempt, state, holder, now}: without a
-- grant, how the slot asked for stands; state `early` is a slot that the database's clock has not come to.
create or replace function public.job_claim(p text) returns jsonb
language plpgsql volatile set search_path = public, pg_temp as $$
declare
  a jsonb := p::jsonb;
  wanted timestamptz := (a ->> 'slot')::timestamptz;
  until timestamptz := clock_timestamp() + make_interval(secs => (a ->> 'ttl')::float8);
  given public.job_claims;
begin
  if wanted > clock_timestamp() + interval '5 seconds' then
    return jsonb_build_object('granted', false, 'slot', wanted, 'state', 'early', 'now', clock_timestamp());
  end if;
  update public.job_claims c set holder = a ->> 'holder', fence = c.fence + 1, attempt = c.attempt + 1,
         claimed_at = clock_timestamp(), expires_at = until
  where (c.job, c.slot) = (
    select o.job, o.slot from public.job_claims o
    where o.job = a ->> 'job' and o.state = 'running'
      and o.slot >= clock_timestamp() - make_interval(secs => (a ->> 'grace')::float8)
      and (o.expires_at <= clock_timestamp() or (o.holder = a ->> 'holder' and o.slot = wanted))
    order by o.slot limit 1 for update skip locked)
  returning * into given;
  if given.job is null then
    insert into public.job_claims as c (job, slot, holder, expires_at)
    values (a ->> 'job', wanted, a ->> 'holder', until) on conflict (job, slot) do nothing returning * into given;
  end if;
  if given.job is not null then
    delete from public.job_claims where job = a ->> 'job' and slot < wanted - interval '90 days';
    return to_jsonb(given) || jsonb_build_object('granted', true, 'now', clock_timestamp());
  end if;
  select * into given from public.job_claims c where c.job = a ->> 'job' and c.slot = wanted;
  return to_jsonb(given) || jsonb_build_object('granted', false, 'now', clock_timestamp());
end $$;

-- {job, slot, fence, ttl, attempt}: keeps a slot for `ttl` seconds more: {held}; false when another has it now.
create or replace function public.job_keep(p text) returns jsonb
language sql volatile set search_path = public, pg_temp as $$
  with kept as (
    update public.job_claims c
    set expires_at = clock_timestamp() + make_interval(secs => (a ->> 'ttl')::float8),
        attempt = greatest(c.attempt, (a ->> 'attempt')::integer)
    from (select p::jsonb as a) as asked
    where c.job = a ->> 'job' and c.slot = (a ->> 'slot')::timestamptz and c.fence = (a ->> 'fence')::bigint
      and c.state = 'running'
    returning 1)
  select jsonb_build_object('held', (select count(*) = 1 from kept))
$$;

-- {job, slot, fence, state, outcome}: settles a slot (`done`, `failed`), or gives it back (`running`): {held}; false when
-- another has it now, or settled it. May be repeated.
create or replace function public.job_settle(p text) returns jsonb
language sql volatile set search_path = public, pg_temp as $$
  with settled as (
    update public.job_claims c
    set state = a ->> 'state', outcome = a ->> 'outcome', expires_at = clock_timestamp(),
        finished_at = case when a ->> 'state' = 'running' then null else coalesce(c.finished_at, clock_timestamp()) end
    from (select p::jsonb as a) as asked
    where c.job = a ->> 'job' and c.slot = (a ->> 'slot')::timestamptz and c.fence = (a ->> 'fence')::bigint
      and c.state in ('running', a ->> 'state')
    returning 1)
  select jsonb_build_object('held', (select count(*) = 1 from settled))
$$;

revoke all on function public.job_claim(text), public.job_keep(text), public.job_settle(text)
  from public, anon, authenticated;
grant execute on function public.job_claim(text), public.job_keep(text), public.job_settle(text) to service_role;
