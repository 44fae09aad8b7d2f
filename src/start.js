// What `npm start` runs. JavaScript, because what it does must be done before the first TypeScript file is read: with the
// cache, Node neither loads what strips the types nor compiles what it has compiled before (decision 0017).
import { enableCompileCache, flushCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

// Beside the packages: only who may change those may write here. Where that is nobody, the start is slower and all is well.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/partner-portal', import.meta.url)))
await import('./main.ts')
flushCompileCache()

// What only the start needed is given back, once: V8 would keep it until there is load.
const giveBack = () => {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
setTimeout(giveBack, 2000).unref()
