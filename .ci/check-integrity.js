/**
 * Refuses entries of package-lock.json without a hash: `npm ci` installs what the registry sends for them, unchecked.
 * Bundled packages are in the tarball of another entry, and links point into this repository.
 */
import { readFileSync } from 'node:fs'

const [path = 'package-lock.json'] = process.argv.slice(2)
const { packages } = JSON.parse(readFileSync(path, 'utf8'))
const unchecked = Object.entries(packages)
  .filter(
    ([name, { link, inBundle, integrity = '' }]) => name && !link && !inBundle && !/^sha(512|384)-/.test(integrity),
  )
  .map(([name]) => name)

if (unchecked.length > 0) {
  const remedy = `A registry that lacks the packages of other platforms leaves them out. Delete these entries and run
npm install --package-lock-only --registry https://registry.npmjs.org
or add "integrity" to each, as npm view <package>@<version> dist.integrity prints it.`
  console.error(`${path} has entries without integrity:\n  ${unchecked.join('\n  ')}\n${remedy}`)
  process.exitCode = 1
}
