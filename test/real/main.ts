import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'

/**
 * `npm run test:real [name]`: runs the portal against real servers from Debian packages, which each `run.ts` below this
 * directory installs (as root) and starts on loopback. Not part of CI. @param name a directory, such as eid
 */
const directory = import.meta.dirname
const [only] = process.argv.slice(2)
const runs = globSync('**/run.ts', { cwd: directory }).toSorted()
const chosen = runs.filter((run) => only === undefined || dirname(run) === only)
if (chosen.length === 0) throw new Error(`no such run: ${only}; there are ${runs.map(dirname).join(', ')}`)
const failed: string[] = []
for (const run of chosen) {
  console.log(`# ${dirname(run)}`)
  const child = spawn(process.execPath, [resolve(directory, run)], { stdio: 'inherit' })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) failed.push(relative(directory, dirname(resolve(directory, run))))
}
console.log(failed.length === 0 ? '# all passed' : `# failed: ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1
