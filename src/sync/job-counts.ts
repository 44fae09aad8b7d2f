import { escapeIdentifier } from 'pg'
import type { Database } from '../store/database.ts'

/** How many jobs of the sync wait and how many are under way, on all instances. */
export type JobCounts = { readonly queued: number; readonly active: number }

/** Where pg-boss keeps its tables: beside the portal's own schema, under a name that follows from it. */
export const jobSchemaOf = async ({ pool }: Database): Promise<string> => {
  const { rows } = await pool.query<{ schema: string | null }>('select current_schema() as schema')
  const schema = rows[0]?.schema ?? 'public'
  return schema === 'public' ? 'portal_jobs' : `${schema.slice(0, 44)}_jobs`
}

/**
 * Counts jobs without being an instance that does them: pg-boss would have to be started for it, and its own counts may
 * be a minute old. None where no portal has ever run.
 */
export const countJobs = async (database: Database): Promise<JobCounts> => {
  const table = `${escapeIdentifier(await jobSchemaOf(database))}.job`
  const { rows: found } = await database.pool.query('select where to_regclass($1) is not null', [table])
  if (found.length === 0) return { queued: 0, active: 0 }
  const { rows } = await database.pool.query<JobCounts>(
    `select count(*) filter (where state <> 'active')::int as queued,
      count(*) filter (where state = 'active')::int as active
    from ${table} where state in ('created', 'retry', 'active')`,
  )
  return rows[0] ?? { queued: 0, active: 0 }
}
