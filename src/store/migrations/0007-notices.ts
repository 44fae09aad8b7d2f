import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What users and channels want to be told, how far each organisation has been looked at, and the queue of notices. */
export const notices: Migration = {
  up: async (db: Kysely<unknown>) => {
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
    await sql`create index if not exists changes_organisation on changes (organisation, id)`.execute(db)
  },
}
