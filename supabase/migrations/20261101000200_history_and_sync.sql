-- What the sync keeps beside the vault, earlier contents of every row, and what later jobs claim and take in.

create table if not exists public.decision_history (
  id bigint generated always as identity primary key,
  decision_id uuid not null,
  changed_at timestamptz not null default clock_timestamp(),
  operation text not null check (operation in ('update', 'delete')),
  run text,
  was jsonb not null
);
create index if not exists decision_history_decision_id on public.decision_history (decision_id, changed_at);

create table if not exists public.sync_links (
  decision_id uuid primary key,
  page_id uuid unique,
  state text not null check (state in ('announced', 'linked', 'trashed', 'gone')),
  base_row jsonb,
  base_page jsonb,
  intent jsonb,
  todo jsonb,
  run text,
  updated_at timestamptz not null default clock_timestamp()
);

create table if not exists public.sync_log (
  id uuid primary key,
  run text not null,
  at timestamptz not null default clock_timestamp(),
  decision_id uuid,
  page_id uuid,
  field text,
  before jsonb,
  after jsonb,
  base jsonb,
  winner text,
  reason text
);
create index if not exists sync_log_decision_id on public.sync_log (decision_id, at);
create index if not exists sync_log_run on public.sync_log (run);

create table if not exists public.sync_state (
  name text primary key,
  value jsonb not null,
  updated_at timestamptz not null default clock_timestamp()
);

create table if not exists public.leases (
  name text primary key,
  holder text not null,
  host text,
  boot_id text,
  pid integer,
  started text,
  fence bigint not null,
  expires_at timestamptz not null
);

create table if not exists public.job_claims (
  job text not null,
  slot timestamptz not null,
  holder text not null,
  fence bigint not null default 1,
  attempt integer not null default 1,
  state text not null default 'running',
  claimed_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  finished_at timestamptz,
  primary key (job, slot)
);

create table if not exists public.intake_items (
  id uuid primary key default gen_random_uuid(),
  fingerprint text not null unique,
  decision_id uuid,
  state text not null default 'accepted',
  confidence real,
  content jsonb not null,
  source jsonb,
  supersedes uuid,
  seen_at timestamptz not null default clock_timestamp()
);
create index if not exists intake_items_decision_id on public.intake_items (decision_id);

-- `updated_at` and `synced` are kept by the database: nobody but the sync ticks `synced`, and a change of content by
-- anybody else unticks it. A sync is known by the setting angles.run, which its functions set and reset.
create or replace function public.decision_vault_stamps() returns trigger
language plpgsql set search_path = public, pg_temp as $$
declare ours boolean := coalesce(current_setting('angles.run', true), '') <> '';
begin
  if tg_op = 'INSERT' then
    new.synced := ours and new.synced;
  elsif (new.id, new.decision, new.date, new.type, new.active, new.comment)
        is distinct from (old.id, old.decision, old.date, old.type, old.active, old.comment) then
    new.updated_at := clock_timestamp();
    new.synced := ours and new.synced;
  elsif not ours then
    new.synced := old.synced and new.synced;
  end if;
  return new;
end $$;

create or replace function public.decision_vault_keep_history() returns trigger
language plpgsql set search_path = public, pg_temp as $$
begin
  if tg_op = 'UPDATE' and (new.id, new.decision, new.date, new.type, new.active, new.comment)
     is not distinct from (old.id, old.decision, old.date, old.type, old.active, old.comment) then
    return null;
  end if;
  insert into public.decision_history (decision_id, operation, run, was)
  values (old.id, lower(tg_op), nullif(current_setting('angles.run', true), ''), to_jsonb(old));
  return null;
end $$;

create or replace function public.decision_vault_refuse_truncate() returns trigger
language plpgsql set search_path = public, pg_temp as $$
begin
  raise exception 'decision_vault is never truncated: its history would be lost; delete rows instead';
end $$;

create or replace trigger decision_vault_stamps before insert or update on public.decision_vault
  for each row execute function public.decision_vault_stamps();
create or replace trigger decision_vault_keep_history after update or delete on public.decision_vault
  for each row execute function public.decision_vault_keep_history();
create or replace trigger decision_vault_refuse_truncate before truncate on public.decision_vault
  for each statement execute function public.decision_vault_refuse_truncate();

alter table public.decision_history enable row level security;
alter table public.sync_links enable row level security;
alter table public.sync_log enable row level security;
alter table public.sync_state enable row level security;
alter table public.leases enable row level security;
alter table public.job_claims enable row level security;
alter table public.intake_items enable row level security;
revoke all on public.decision_history, public.sync_links, public.sync_log, public.sync_state, public.leases,
  public.job_claims, public.intake_items from public, anon, authenticated, service_role;
grant select, insert, update, delete on public.decision_history, public.sync_links, public.sync_log,
  public.sync_state, public.leases, public.job_claims, public.intake_items to service_role;
revoke all on sequence public.decision_history_id_seq from public, anon, authenticated, service_role;
grant usage, select on sequence public.decision_history_id_seq to service_role;
revoke all on function public.decision_vault_stamps(), public.decision_vault_keep_history(),
  public.decision_vault_refuse_truncate() from public, anon, authenticated;
grant execute on function public.decision_vault_stamps(), public.decision_vault_keep_history(),
  public.decision_vault_refuse_truncate() to service_role;
