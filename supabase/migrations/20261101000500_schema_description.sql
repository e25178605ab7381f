-- What the schema is, in a form that does not depend on the server's version, so that drift can be found: by
-- run_migration.py --verify, which asks both this database and one made from the files; and by a monitor, which
-- compares one fingerprint with the one kept at the last migration.

-- {tables, functions}: [{kind, on, name, is}] of the tables and functions of these names. run_migration.py executes
-- this very text by itself, so that a changed function cannot hide what changed.
create or replace function public.schema_description(p text) returns jsonb
language sql stable set search_path = '' as $$
  with asked as materialized (
    select $1::jsonb as names
  ), api as (
    select oid, rolname from pg_roles where rolname in ('anon', 'authenticated', 'service_role')
  ), relations as (
    select c.oid as id, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.relpersistence, c.relacl, c.relowner,
           format('public.%I', c.relname) as name
    from pg_class c, asked
    where c.relnamespace = to_regnamespace('public') and c.relkind in ('r', 'p', 'v', 'm', 'f')
      and names -> 'tables' ? c.relname::text
  ), functions as (
    select f.oid as id, f.proacl, f.proowner,
           format('public.%I(%s)', f.proname, oidvectortypes(f.proargtypes)) as name
    from pg_proc f, asked
    where f.pronamespace = to_regnamespace('public') and f.prokind in ('f', 'p')
      and names -> 'functions' ? f.proname::text
  ), sequences as (
    select s.relacl, s.relowner, format('public.%I', s.relname) as name
    from pg_depend d join pg_class s on s.oid = d.objid and s.relkind = 'S' join relations r on r.id = d.refobjid
    where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
  ), granted (kind, what, name, acl, owner, always) as (
    select 'privileges', 'table', name, coalesce(relacl, acldefault('r', relowner)), relowner, true from relations
    union all
    select 'privileges', 'sequence', name, coalesce(relacl, acldefault('s', relowner)), relowner, true from sequences
    union all
    select 'privileges', 'function', name, coalesce(proacl, acldefault('f', proowner)), proowner, true from functions
    union all
    select 'column privileges', r.name, format('%I', a.attname), a.attacl, r.relowner, false
    from pg_attribute a join relations r on r.id = a.attrelid where a.attacl is not null and not a.attisdropped
  ), items (kind, "on", name, "is") as (
    select 'role', '', rolname::text, '{}'::jsonb from api
    union all
    select 'schema', '', 'public', jsonb_build_object('usage', has_schema_privilege(oid, 'public', 'usage'))
    from api where rolname = 'service_role'
    union all
    select 'table', '', name, jsonb_build_object('kind', relkind, 'row_level_security', relrowsecurity,
                                                 'forced', relforcerowsecurity, 'persistence', relpersistence)
    from relations
    union all
    select 'column', r.name, format('%I', a.attname), jsonb_build_object(
      'type', format_type(a.atttypid, a.atttypmod), 'not_null', a.attnotnull, 'identity', a.attidentity,
      'generated', a.attgenerated, 'default', pg_get_expr(d.adbin, d.adrelid))
    from relations r join pg_attribute a on a.attrelid = r.id and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    union all -- from version 18 on, not-null constraints stand among the constraints too
    select 'constraint', r.name, format('%I', c.conname), jsonb_build_object('definition', pg_get_constraintdef(c.oid))
    from relations r join pg_constraint c on c.conrelid = r.id and c.contype in ('c', 'f', 'p', 'u', 'x')
    union all
    select 'index', r.name, format('public.%I', n.relname), jsonb_build_object(
      'definition', pg_get_indexdef(i.indexrelid), 'valid', i.indisvalid)
    from relations r join pg_index i on i.indrelid = r.id join pg_class n on n.oid = i.indexrelid
    where not exists (select from pg_constraint c where c.conindid = i.indexrelid and c.contype in ('p', 'u', 'x'))
    union all
    select 'function', '', name, jsonb_build_object('definition', pg_get_functiondef(id)) from functions
    union all
    select 'trigger', r.name, format('%I', t.tgname), jsonb_build_object(
      'definition', pg_get_triggerdef(t.oid), 'enabled', t.tgenabled)
    from relations r join pg_trigger t on t.tgrelid = r.id and not t.tgisinternal
    union all
    select 'rule', r.name, format('%I', w.rulename), jsonb_build_object('definition', pg_get_ruledef(w.oid))
    from relations r join pg_rewrite w on w.ev_class = r.id and w.rulename <> '_RETURN'
    union all
    select 'policy', r.name, format('%I', p.polname), jsonb_build_object('definition', concat(
      format('create policy %I on %s as %s for %s to ', p.polname, r.name,
             case when p.polpermissive then 'permissive' else 'restrictive' end,
             case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete'
             else 'all' end),
      (select string_agg(case when u = 0 then 'public' else quote_ident(pg_get_userbyid(u)) end, ', ' order by u)
       from unnest(p.polroles) u),
      ' using (' || pg_get_expr(p.polqual, p.polrelid) || ')',
      ' with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')'))
    from relations r join pg_policy p on p.polrelid = r.id
    union all -- of the API's roles only: a role of a person's own is theirs
    select g.kind, g.what, g.name, coalesce(held.by, '{}') from granted g left join lateral (
      select jsonb_object_agg(role, privileges) as by from (
        select coalesce(api.rolname::text, 'public') as role, jsonb_agg(
          a.privilege_type || case when a.is_grantable then ' with grant option' else '' end
          order by a.privilege_type collate "C") as privileges
        from aclexplode(g.acl) a left join api on api.oid = a.grantee
        where a.grantee <> g.owner and (a.grantee = 0 or api.oid is not null) group by 1) each) held on true
    where g.always or held.by is not null
  )
  select jsonb_agg(jsonb_build_object('kind', kind, 'on', "on", 'name', name, 'is', "is")
                   order by kind collate "C", "on" collate "C", name collate "C") from items
$$;

-- Whether the schema is the one that the last migration left: {fingerprint, kept, same, versions}; all null where no
-- run_migration.py was ever here.
create or replace function public.schema_fingerprint(p text) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object('fingerprint', f.now, 'kept', s.value ->> 'fingerprint',
                            'same', f.now = s.value ->> 'fingerprint', 'versions', s.value -> 'versions')
  from (values (p)) asked
  left join public.sync_state s on s.name = 'schema'
  left join lateral (select md5(public.schema_description((s.value -> 'names')::text)::text) as now
                     where s.name is not null) f on true
$$;

revoke all on function public.schema_description(text), public.schema_fingerprint(text)
  from public, anon, authenticated, service_role;
grant execute on function public.schema_description(text), public.schema_fingerprint(text) to service_role;
