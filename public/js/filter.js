import htmx from '../htmx/htmx.esm.min.js'
import { reportConnection } from './offline.js'
import { trusted } from './trusted.js'

// Going back asks the portal again: what a list showed is not kept in the browser.
htmx.config.history = 'reload'
htmx.config.includeIndicatorCSS = false
htmx.registerExtension('portal', { init: ({ initSecurity }) => initSecurity(trusted) })

/** What led to the request under way: `input` while somebody types, `submit`, `change`, or the link that was pressed. */
let cause
/** Typing is one step back, however many letters it was. */
let isTyping = false

/** Filters the list while somebody types, without loading the page. Lists work the same without this, by their button. */
export function followFilter() {
  document.addEventListener('click', pressed)
  document.addEventListener('htmx:config:request', ({ detail: { ctx } }) => {
    if (!isOfList(ctx)) return
    const { type } = ctx.sourceEvent
    if (type !== 'click') cause = type
    // A link says all there is to say.
    if (type === 'click') ctx.request.body = new FormData()
    else tidy(ctx.request.body)
    results().setAttribute('aria-busy', 'true')
  })
  document.addEventListener('htmx:before:response', (event) => {
    const { ctx } = event.detail
    if (!isOfList(ctx)) return
    reportConnection(true)
    const { status, redirected } = ctx.response.raw
    if (status === 200 && !redirected) return
    // Whatever else the portal has to say now, it says better on a page of its own.
    event.preventDefault()
    location.assign(ctx.request.action)
  })
  document.addEventListener('htmx:before:history:update', ({ detail }) => {
    if (cause === 'input' && isTyping) detail.history.type = 'replace'
    isTyping = cause === 'input'
  })
  document.addEventListener('htmx:after:history:update', () => {
    followAddress()
    leadBackHere()
  })
  document.addEventListener('htmx:after:swap', ({ detail: { ctx } }) => {
    if (isOfList(ctx)) keepPlace()
  })
  document.addEventListener('htmx:error', ({ detail: { ctx } }) => {
    if (ctx && isOfList(ctx)) reportConnection(false)
  })
  document.addEventListener('htmx:finally:request', () => results()?.removeAttribute('aria-busy'))
}

function pressed(event) {
  const link = event.target.closest('.status-tabs a, .chips a, .pages a, .empty a')
  const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey
  if (!link || !isPlain || !filter() || !results()?.contains(link)) return
  event.preventDefault()
  cause = link
  void htmx.ajax('GET', link.href, {
    source: '#filter',
    event,
    target: '#results',
    select: '#results',
    swap: 'outerMorph',
    push: 'true',
  })
}

function isOfList(ctx) {
  return ctx.target?.id === 'results'
}

/** What says nothing stays out of the address, and the button of a heading is remembered as the order it asks for. */
function tidy(body) {
  const by = body.get('by')
  if (by !== null) {
    body.delete('by')
    body.set('sort', by)
  }
  for (const [name, value] of Array.from(body)) if (value === '') body.delete(name)
}

function results() {
  return document.getElementById('results')
}

/** The controls show what the address asks for; a text that somebody is in is theirs. */
function followAddress() {
  const form = filter()
  const asked = new URLSearchParams(location.search)
  for (const control of form.elements) {
    if (control.form !== form || !form.contains(control) || control.name === '') continue
    if (control.type === 'checkbox') control.checked = asked.getAll(control.name).includes(control.value)
    else if (control.name !== 'q' || control !== document.activeElement) control.value = asked.get(control.name) ?? ''
  }
}

/** What leads away and back, such as the choice of a language or a new sign-in, leads back to the list as it is now. */
function leadBackHere() {
  const here = location.pathname + location.search
  for (const field of document.getElementsByName('returnTo')) field.value = here
  for (const link of document.querySelectorAll('a[href*="?returnTo="]')) {
    link.search = new URLSearchParams({ returnTo: here })
  }
}

/** Nobody is left without a place: where the link that was pressed is gone, they are at what was found. */
function keepPlace() {
  const found = document.getElementById('found')
  const hasTurned = cause instanceof Element && cause.rel !== ''
  if (hasTurned || document.activeElement === document.body) found?.focus()
  if (hasTurned) results().scrollIntoView({ block: 'start' })
}

function filter() {
  return document.getElementById('filter')
}

/** The same for a filter that has just come into the page, in this part of it. */
export function takeUpFilter(part) {
  return htmx.process(part)
}
