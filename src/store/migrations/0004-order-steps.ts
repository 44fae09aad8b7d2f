import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

type Db = Kysely<unknown>

/**
 * When the sync saw each status of an order first, and when its link expires. A trigger keeps them in the transaction
 * that writes the row; the generated columns are derived from them.
 */
async function columns(db: Db): Promise<void> {
  await sql`
    alter table product_orders drop column rank,
      add column viewed_at timestamptz,
      add column submitted_at timestamptz,
      add column completed_at timestamptz,
      add column rejected_at timestamptz,
      add column expired_at timestamptz,
      add column expires_at timestamptz`.execute(db)
  await sql`
    alter table product_orders
      add column rank smallint not null generated always as (case
        when status = 'MERCHANT_VIEWED' or (status = 'RECEIVED' and product_order_type = 'PREFILL') then 1
        when status = 'RECEIVED' then 2 when status = 'ORDER_SUBMITTED' then 3 when status = 'COMPLETED' then 4
        when status = 'REJECTED' then 5 when status = 'EXPIRED' then 7 else 6 end) stored,
      add column reached smallint not null generated always as (case
        when completed_at is not null then 4 when submitted_at is not null or rejected_at is not null then 3
        when viewed_at is not null then 2 else 1 end) stored`.execute(db)
}

/** 336 hours: the link lives 14 days, also when the clocks change meanwhile. */
async function trigger(db: Db): Promise<void> {
  await sql`
    create function product_order_steps() returns trigger language plpgsql as $$
    begin
      new.expires_at := case when new.product_order_type = 'PREFILL' and new.status in ('RECEIVED', 'MERCHANT_VIEWED')
        then new.first_seen_at + interval '336 hours' end;
      if tg_op = 'UPDATE' and old.status = new.status then
        return new;
      end if;
      case new.status
        when 'MERCHANT_VIEWED' then new.viewed_at := coalesce(new.viewed_at, new.changed_at);
        when 'ORDER_SUBMITTED' then new.submitted_at := coalesce(new.submitted_at, new.changed_at);
        when 'COMPLETED' then new.completed_at := coalesce(new.completed_at, new.changed_at);
        when 'REJECTED' then new.rejected_at := coalesce(new.rejected_at, new.changed_at);
        when 'EXPIRED' then new.expired_at := coalesce(new.expired_at, new.changed_at);
        else null;
      end case;
      return new;
    end $$`.execute(db)
  await sql`
    create trigger product_order_steps before insert or update on product_orders
    for each row execute function product_order_steps()`.execute(db)
}

/** Reads the steps of orders that are there already from their history. */
async function backfill(db: Db): Promise<void> {
  const ofOrder = sql`c.organisation = o.organisation and c.resource = 'productOrder' and c.key = o.key
    and jsonb_exists(c.fields, 'status')`
  await sql`
    update product_orders o set viewed_at = s.viewed_at, submitted_at = s.submitted_at,
      completed_at = s.completed_at, rejected_at = s.rejected_at, expired_at = s.expired_at
    from (
      select o.organisation, o.key,
        min(step.at) filter (where step.status = 'MERCHANT_VIEWED') as viewed_at,
        min(step.at) filter (where step.status = 'ORDER_SUBMITTED') as submitted_at,
        min(step.at) filter (where step.status = 'COMPLETED') as completed_at,
        min(step.at) filter (where step.status = 'REJECTED') as rejected_at,
        min(step.at) filter (where step.status = 'EXPIRED') as expired_at
      from product_orders o cross join lateral (
        select c.at, c.fields -> 'status' ->> 1 as status from changes c where ${ofOrder}
        union all
        select o.first_seen_at, coalesce(
          (select c.fields -> 'status' ->> 0 from changes c where ${ofOrder} order by c.id limit 1), o.status)
      ) step
      group by o.organisation, o.key
    ) s
    where s.organisation = o.organisation and s.key = o.key`.execute(db)
}

/** The steps of product orders, for work lists and the funnel. */
export const orderSteps: Migration = {
  up: async (db: Db) => {
    await columns(db)
    await trigger(db)
    await backfill(db)
    await sql`
      create index product_orders_order on product_orders (organisation, rank, expires_at, changed_at desc, key)
      where removed_at is null`.execute(db)
    await sql`
      create index product_orders_changed on product_orders (organisation, changed_at, key)
      where removed_at is null`.execute(db)
    // The stored counts have more members now. A row without a digest is written at the next read of its list, and the
    // sync counts after a write.
    await sql`update sync_state set facets = null where resource = 'productOrders'`.execute(db)
    await sql`
      update product_orders set listed_digest = null where (organisation, key) in (
        select organisation, min(key) from product_orders where removed_by is null group by organisation)`.execute(db)
  },
}
