import { type Kysely, sql } from 'kysely'

type Db = Kysely<unknown>

/** Users with their grants, sessions, visits and notices, the limits of their requests, and the audit log. */
export async function createAccounts(db: Db): Promise<void> {
  await users(db)
  await emailVerification(db)
  await rateLimits(db)
  await audit(db)
  await visits(db)
  await notices(db)
}

/** Users, their grants and their sessions. */
async function users(db: Db): Promise<void> {
  await sql`
    create table users (
      id uuid primary key,
      issuer text not null,
      subject text not null,
      name text,
      email text,
      verified_email text,
      verified_email_at timestamptz,
      first_signed_in_at timestamptz not null default now(),
      last_signed_in_at timestamptz not null default now(),
      unique (issuer, subject)
    )`.execute(db)
  // No foreign key to users: the operator may give a grant before the first sign-in.
  await sql`
    create table grants (
      user_id uuid not null,
      organisation text not null,
      role text not null default 'viewer' check (role in ('viewer', 'developer')),
      ends_at timestamptz,
      granted_at timestamptz not null default now(),
      granted_by text,
      reason text,
      primary key (user_id, organisation)
    )`.execute(db)
  await sql`
    create table sessions (
      id text primary key,
      user_id uuid not null references users on delete cascade,
      signed_in_at timestamptz not null,
      last_used_at timestamptz not null,
      ends_at timestamptz not null,
      device jsonb,
      address text,
      eid_session_id text,
      encrypted_id_token text,
      data jsonb not null
    )`.execute(db)
  await sql`create index sessions_user on sessions (user_id)`.execute(db)
  await sql`create index sessions_ends_at on sessions (ends_at)`.execute(db)
  await sql`create index sessions_eid_session on sessions (eid_session_id)`.execute(db)
  await sql`create table logout_tokens (id text primary key, forget_at timestamptz not null)`.execute(db)
}

/** At most one code per user, as a MAC; mails of the last hour are counted, and store mailbox and domain as MACs only. */
async function emailVerification(db: Db): Promise<void> {
  await sql`
    create table email_codes (
      user_id uuid primary key references users on delete cascade,
      email text not null,
      code_mac text not null,
      tries int not null default 0,
      sent_at timestamptz not null default now()
    )`.execute(db)
  await sql`
    create table code_mails (
      id bigint generated always as identity primary key,
      user_id uuid not null references users on delete cascade,
      mailbox_mac text not null,
      domain_mac text not null,
      own boolean not null,
      at timestamptz not null default now()
    )`.execute(db)
  await sql`create index code_mails_user on code_mails (user_id, at)`.execute(db)
  await sql`create index code_mails_mailbox on code_mails (mailbox_mac, at)`.execute(db)
  await sql`create index code_mails_at on code_mails (at)`.execute(db)
}

/** The table of rate-limiter-flexible. Unlogged: after a crash of the server it starts empty. */
async function rateLimits(db: Db): Promise<void> {
  await sql`
    create unlogged table rate_limits (
      key varchar(255) primary key,
      points integer not null default 0,
      expire bigint
    )`.execute(db)
  await sql`create index rate_limits_expire on rate_limits (expire)`.execute(db)
}

/** Append-only; the retention job sets `portal.audit_retention` in its transaction to delete rows. */
async function audit(db: Db): Promise<void> {
  await sql`
    create table audit (
      id bigint generated always as identity primary key,
      at timestamptz not null default now(),
      event text not null,
      user_id uuid,
      organisation text,
      address text,
      details jsonb not null default '{}'
    )`.execute(db)
  await sql`create index audit_at on audit (at)`.execute(db)
  await sql`create index audit_user on audit (user_id, at)`.execute(db)
  await sql`create index audit_organisation on audit (organisation, at)`.execute(db)
  await sql`
    create function audit_is_append_only() returns trigger language plpgsql as $$
    begin
      if tg_op = 'DELETE' and current_setting('portal.audit_retention', true) = 'on' then
        return old;
      end if;
      raise exception 'the audit log is append-only';
    end $$`.execute(db)
  await sql`
    create trigger audit_is_append_only before update or delete on audit
    for each row execute function audit_is_append_only()`.execute(db)
  await sql`
    create trigger audit_is_not_truncated before truncate on audit
    for each statement execute function audit_is_append_only()`.execute(db)
}

/** When each user last viewed pages of an organisation, the end of the visit before, and the number of visits. */
async function visits(db: Db): Promise<void> {
  await sql`
    create table visits (
      user_id uuid not null,
      organisation text not null,
      seen_at timestamptz not null default now(),
      last_visit_at timestamptz,
      visits integer not null default 1,
      primary key (user_id, organisation)
    )`.execute(db)
}

/** What users and channels want to be told, how far each organisation has been looked at, and the queue of notices. */
async function notices(db: Db): Promise<void> {
  await sql`
    create table notice_settings (
      user_id uuid not null references users on delete cascade,
      organisation text not null,
      language text not null,
      events text[] not null,
      digest text check (digest in ('daily', 'weekly')),
      digest_due_at timestamptz,
      digest_change bigint not null,
      digest_from timestamptz not null,
      primary key (user_id, organisation)
    )`.execute(db)
  await sql`create index notice_settings_organisation on notice_settings (organisation)`.execute(db)
  await sql`
    create index notice_settings_due on notice_settings (digest_due_at) where digest_due_at is not null`.execute(db)
  await sql`
    create table notice_channels (
      id uuid primary key default gen_random_uuid(),
      organisation text not null,
      kind text not null check (kind in ('slack', 'teams', 'webhook')),
      url text not null,
      secret text,
      language text not null,
      events text[] not null,
      added_by text not null,
      added_at timestamptz not null default now(),
      unique (organisation, url)
    )`.execute(db)
  await sql`
    create table notice_marks (
      organisation text primary key,
      change bigint not null,
      at timestamptz not null
    )`.execute(db)
  await sql`
    create table notices (
      id bigint generated always as identity primary key,
      organisation text not null,
      user_id uuid references users on delete cascade,
      channel_id uuid references notice_channels on delete cascade,
      kind text not null check (kind in ('daily', 'weekly', 'events')),
      after_change bigint not null,
      until_change bigint not null,
      after_at timestamptz not null,
      until_at timestamptz not null,
      due_at timestamptz not null,
      claimed_until timestamptz,
      tries int not null default 0,
      sent_at timestamptz,
      failed_at timestamptz,
      check (num_nonnulls(user_id, channel_id) = 1)
    )`.execute(db)
  await sql`
    create index notices_waiting on notices (due_at) where sent_at is null and failed_at is null`.execute(db)
  await sql`create index notices_user on notices (user_id, sent_at)`.execute(db)
  await sql`create index notices_channel on notices (channel_id)`.execute(db)
}
