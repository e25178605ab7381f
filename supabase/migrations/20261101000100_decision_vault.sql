-- The seed's two tables, as they are named there; a vault that was made by hand, or lacks columns, is brought up to
-- them without losing a row.

-- The roles of Supabase's API, where a plain PostgreSQL lacks them. Only a superuser may give bypassrls (before version
-- 16): without it service_role lacks its way past row-level security, which only the REST API needs.
do $$
declare role_name text;
begin
  foreach role_name in array array['anon', 'authenticated', 'service_role'] loop
    if not exists (select from pg_roles where rolname = role_name) then
      execute format('create role %I nologin noinherit', role_name);
      if role_name = 'service_role' then
        begin
          alter role service_role bypassrls;
        exception when insufficient_privilege then
          raise notice 'service_role is made without bypassrls: only a superuser may give it';
        end;
      end if;
    end if;
  end loop;
end $$;

grant usage on schema public to service_role;

create table if not exists public.decision_vault (
  id uuid primary key default gen_random_uuid(),
  decision text not null,
  date date default current_date,
  type varchar(50) default 'other',
  active boolean default true,
  comment text,
  synced boolean default false,
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);
alter table public.decision_vault add column if not exists id uuid not null default gen_random_uuid();
alter table public.decision_vault add column if not exists decision text not null default '';
alter table public.decision_vault add column if not exists date date;
alter table public.decision_vault add column if not exists type varchar(50) default 'other';
alter table public.decision_vault add column if not exists active boolean default true;
alter table public.decision_vault add column if not exists comment text;
alter table public.decision_vault add column if not exists synced boolean default false;
alter table public.decision_vault add column if not exists created_at timestamptz default now();
alter table public.decision_vault add column if not exists updated_at timestamptz default now();
alter table public.decision_vault alter column id set default gen_random_uuid(),
  alter column decision drop default, alter column date set default current_date; -- rows that had no date get none

create table if not exists public.agent_activity (
  id uuid primary key default gen_random_uuid(),
  agent_name varchar(100) not null,
  action varchar(100) not null,
  details jsonb,
  status varchar(50) default 'pending',
  created_at timestamptz default now()
);
alter table public.agent_activity add column if not exists id uuid not null default gen_random_uuid();
alter table public.agent_activity add column if not exists agent_name varchar(100) not null default 'unknown';
alter table public.agent_activity add column if not exists action varchar(100) not null default 'unknown';
alter table public.agent_activity add column if not exists details jsonb;
alter table public.agent_activity add column if not exists status varchar(50) default 'pending';
alter table public.agent_activity add column if not exists created_at timestamptz default now();
alter table public.agent_activity alter column agent_name drop default;
alter table public.agent_activity alter column action drop default;
alter table public.agent_activity alter column id set default gen_random_uuid();

-- A table made by hand may lack its primary key, which the sync and every upsert need. Rows without an id get one;
-- which of two rows keeps the id that they share is for a person to say.
do $$
declare
  name text;
  shared text;
begin
  foreach name in array array['decision_vault', 'agent_activity'] loop
    continue when exists (
      select from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attname = 'id'
      where i.indrelid = format('public.%I', name)::regclass and i.indisunique and i.indisvalid and i.indpred is null
        and i.indnkeyatts = 1 and i.indkey[0] = a.attnum and a.attnotnull);
    execute format('update public.%I set id = gen_random_uuid() where id is null', name);
    execute format('select min(id::text) from (select id from public.%I group by id having count(*) > 1) t', name)
      into shared;
    if shared is not null then
      raise exception 'several rows of % have the id %: give each an id of its own, then run again', name, shared;
    end if;
    if exists (select from pg_constraint where conrelid = format('public.%I', name)::regclass and contype = 'p') then
      execute format('alter table public.%I alter column id set not null, add unique (id)', name);
    else
      execute format('alter table public.%I add primary key (id)', name);
    end if;
  end loop;
end $$;

create index if not exists decision_vault_created_at_id on public.decision_vault (created_at, id);
create index if not exists agent_activity_created_at_id on public.agent_activity (created_at, id);

alter table public.decision_vault enable row level security;
alter table public.agent_activity enable row level security;
revoke all on public.decision_vault, public.agent_activity from public, anon, authenticated, service_role;
grant select, insert, update, delete on public.decision_vault, public.agent_activity to service_role;
