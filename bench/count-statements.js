import { writeFileSync } from 'node:fs'
import pg from 'pg'

// Preloaded into a portal: counts the statements it sends, and writes the count every second.
let count = 0
const query = Reflect.get(pg.Client.prototype, 'query')
pg.Client.prototype.query = function countedQuery(...parameters) {
  count += 1
  return query.apply(this, parameters)
}
setInterval(() => writeFileSync(process.env.STATEMENTS_FILE, String(count)), 1000).unref()
