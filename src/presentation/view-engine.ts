import { readFileSync, readdirSync } from 'node:fs'
import { join, sep } from 'node:path'
import ejs from 'ejs'

type Locals = Readonly<Record<string, unknown>>
type Compiled = (locals: Locals) => string

/**
 * The prototype of all locals: reading a local that was not passed throws, instead of rendering an empty string. It is
 * only consulted for missing names, so it costs nothing otherwise.
 */
const missingLocals = new Proxy(Object.create(null) as Locals, {
  get: (_target, name) => {
    if (typeof name === 'symbol') return undefined
    throw new ReferenceError(`view reads locals.${name}, which was not passed`)
  },
})

/** Renders a view by its path below the views directory, without the layout. */
export type Render = (name: string, locals: Locals) => string

/**
 * Compiles all views under `directory` at start, in EJS strict mode: a view reads `locals.page`, and a bare or misspelt
 * name throws. `include('partials/pager', { page })` takes a path from the root and inherits the caller's locals.
 * Rendering is synchronous and reads no file.
 */
export function compileViews(directory: string): Render {
  const views = compileAll(directory)
  const run = (name: string, locals: Locals): string => {
    const view = views.get(name)
    if (!view) throw new ReferenceError(`unknown view ${name}`)
    return view(locals)
  }
  const withInclude = (locals: Locals, extra: Locals): Locals => {
    const include = (name: string, more?: Locals): string => run(name, more ? withInclude(own, more) : own)
    const own = Object.assign(Object.create(locals) as object, extra, { include })
    return own
  }
  return (name, locals) => run(name, withInclude(missingLocals, locals))
}

function compileAll(directory: string): Map<string, Compiled> {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ejs'))
  return new Map(
    files.map((file) => {
      // EJS's own include copies all locals and looks for a file each time; ours does neither.
      const text = readFileSync(join(directory, file), 'utf8').replaceAll('<%- include(', '<%- locals.include(')
      // Without the option EJS copies the own locals of each view, and drops those of the prototype.
      const options = { strict: true, compileDebug: false, unsafePrototypeLocals: true }
      return [file.slice(0, -'.ejs'.length).split(sep).join('/'), ejs.compile(text, options)]
    }),
  )
}

/**
 * An Express view class for `app.set('view', …)`: `res.render('sales-units/list')` renders the view `layout/page`,
 * which includes `locals.view`; with `locals.alone` only the view itself.
 */
export function viewClass(render: Render) {
  return class View {
    readonly name: string
    /** Express treats a view without a path as not found. */
    readonly path: string
    constructor(name: string) {
      this.name = name
      this.path = name
    }
    render(locals: Locals, done: (error: unknown, html?: string) => void): void {
      let html: string
      try {
        html =
          locals['alone'] === true ? render(this.name, locals) : render('layout/page', { ...locals, view: this.name })
      } catch (error) {
        const reason = error instanceof Error ? error.message : 'unknown error'
        done(new Error(`view ${this.name} failed: ${reason}`, { cause: error }))
        return
      }
      done(null, html)
    }
  }
}
