import { readFileSync, readdirSync } from 'node:fs'
import { join, sep } from 'node:path'
import ejs from 'ejs'

type Locals = Readonly<Record<string, unknown>>
type Include = (name: string, extra?: Locals) => string
type Compiled = (locals: Locals, escape: (markup: unknown) => string, include: Include) => string

/**
 * What stands beneath all locals: reading a name that nobody passed is a mistake in a view, and an empty string in the page
 * would hide it. As a prototype it is only asked for what is missing, and costs nothing else.
 */
const nothing = new Proxy(Object.create(null) as Locals, {
  get: (_target, name) => {
    if (typeof name === 'symbol') return undefined
    throw new ReferenceError(`the view reads locals.${name}, which was not passed`)
  },
})

/** Renders a view by its name from the root of its directory, without the layout. */
export type Render = (name: string, locals: Locals) => string

/**
 * All views under `directory`, compiled now, once, in EJS's strict mode: a view reads `locals.page`, a bare or
 * misspelt name throws. `include('partials/pager', { page })` names a view from the root and sees its caller's
 * locals beneath what is passed. Rendering is synchronous and touches no file.
 */
export function compileViews(directory: string): Render {
  const views = compileAll(directory)
  const viewOf = (name: string): Compiled => {
    const view = views.get(name)
    if (!view) throw new ReferenceError(`there is no view ${name}`)
    return view
  }
  const run = (view: Compiled, locals: Locals): string => {
    const include: Include = (name, extra) => run(viewOf(name), extra ? beneath(locals, extra) : locals)
    return view(locals, ejs.escapeXML, include)
  }
  return (name, locals) => run(viewOf(name), beneath(nothing, locals))
}

function compileAll(directory: string): Map<string, Compiled> {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ejs'))
  return new Map(
    files.map((file) => {
      const template = new ejs.Template(readFileSync(join(directory, file), 'utf8'), {
        strict: true,
        compileDebug: false,
      })
      template.compile()
      // The library's own function copies all locals for every view and include, and looks on disk for the
      // included one; its source does neither.
      // oxlint-disable-next-line no-new-func, no-implied-eval -- views are our own files, read at start
      const run = new Function('locals', 'escapeFn', 'include', `"use strict";${template.source}`) as Compiled
      const name = file.slice(0, -'.ejs'.length).split(sep).join('/')
      return [name, run]
    }),
  )
}

/** `extra` before `locals`, without copying either. */
function beneath(locals: Locals, extra: Locals): Locals {
  return Object.assign(Object.create(locals) as object, extra) as Locals
}

/**
 * An Express view class for `app.set('view', …)`: `res.render('sales-units/list')` renders the view
 * `layout/page`, which includes `locals.view`; or the view alone, where `locals.alone` says that its page is there.
 */
export function viewClass(render: Render) {
  return class View {
    readonly name: string
    /** Express takes a view without a path as one that was not found. */
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
        done(new Error(`the view ${this.name} failed: ${reason}`, { cause: error }))
        return
      }
      done(null, html)
    }
  }
}
