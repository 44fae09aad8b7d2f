import type { KyselyPlugin, RootOperationNode } from 'kysely'
import type { Organisation } from '../src/organisation.ts'
import type { Database, Handle } from '../src/store/database.ts'
import { findTyped, type Query } from './queries.ts'

/** A handle that remembers what was asked through it. */
const remembering = (db: Handle): { handle: Handle; nodes: RootOperationNode[] } => {
  const nodes: RootOperationNode[] = []
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => {
      nodes.push(node)
      return node
    },
    transformResult: async ({ result }) => result,
  }
  return { handle: db.withPlugin(plugin), nodes }
}

/** The plans of every statement that finds these sales units, as they were carried out. */
export const explainSearch = async (
  { kysely, pool }: Database,
  organisation: Organisation,
  query: Query,
  total: number,
): Promise<string> => {
  const { handle, nodes } = remembering(kysely)
  await findTyped(handle, organisation, query, total)
  const plans: string[] = []
  for (const node of nodes) {
    const { sql, parameters } = kysely.getExecutor().compileQuery(node, { queryId: 'explained' })
    const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`explain (analyze, buffers) ${sql}`, [
      ...parameters,
    ])
    plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'))
  }
  return plans.join('\n\n')
}
