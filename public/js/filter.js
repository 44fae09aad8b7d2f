import htmx from '../htmx/htmx.esm.min.js'
import { reportConnection } from './offline.js'
import { trusted } from './trusted.js'

// The back button loads the page from the portal: lists must not be kept in the browser's history cache.
htmx.config.history = 'reload'
htmx.config.includeIndicatorCSS = false
// A menu that is open stays open when the list is replaced.
htmx.config.morphIgnore = ['data-htmx-powered', 'open', 'data-done']
htmx.registerExtension('portal', { init: ({ initSecurity }) => initSecurity(trusted) })

/** The cause of the current request: the event type `input`, `submit` or `change`, or a `link`, or one of the `pager`. */
let cause
/** Whether the last history entry came from typing: the next keystroke then replaces it. */
let isTyping = false

/** Filters the list while the user types, without loading the page. Without this module the form's button filters. */
export function followFilter() {
  document.addEventListener('click', followLink)
  document.addEventListener('htmx:config:request', ({ detail: { ctx } }) => {
    if (!isListRequest(ctx)) return
    const { type } = ctx.sourceEvent
    if (type !== 'click') cause = type
    // The URL of a link is complete: the fields of the form are not added.
    if (type === 'click') ctx.request.body = new FormData()
    else cleanParameters(ctx.request.body)
    results().setAttribute('aria-busy', 'true')
  })
  document.addEventListener('htmx:before:response', (event) => {
    const { ctx } = event.detail
    if (!isListRequest(ctx)) return
    reportConnection(true)
    const { status, redirected } = ctx.response.raw
    if (status === 200 && !redirected) return
    // Show an error page or the sign-in page as a whole page.
    event.preventDefault()
    location.assign(ctx.request.action)
  })
  document.addEventListener('htmx:before:history:update', ({ detail }) => {
    if (cause === 'input' && isTyping) detail.history.type = 'replace'
    isTyping = cause === 'input'
  })
  document.addEventListener('htmx:after:history:update', () => {
    updateControls()
    updateReturnPaths()
  })
  document.addEventListener('htmx:after:swap', ({ detail: { ctx } }) => {
    if (isListRequest(ctx)) restoreFocus()
  })
  document.addEventListener('htmx:error', ({ detail: { ctx } }) => {
    if (ctx && isListRequest(ctx)) reportConnection(false)
  })
  document.addEventListener('htmx:finally:request', () => results()?.removeAttribute('aria-busy'))
}

function followLink(event) {
  const link = event.target.closest('.status-tabs a, .chips a, .pages a, .empty a, .sheet-foot a')
  const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey
  if (!link || !isPlain || !filter() || !results()?.contains(link)) return
  event.preventDefault()
  // Now, as the new list may reuse the link for something else.
  cause = link.rel === '' ? 'link' : 'pager'
  void htmx.ajax('GET', link.href, {
    source: '#filter',
    event,
    target: '#results',
    select: '#results',
    swap: 'outerMorph',
    push: 'true',
  })
}

function isListRequest(ctx) {
  return ctx.target?.id === 'results'
}

/** Removes empty parameters, and turns the value of a heading's button (`by`) into the sort order. */
function cleanParameters(body) {
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

/** Sets the controls to the URL's parameters, except a text field that the user has focus in. */
function updateControls() {
  const form = filter()
  const asked = new URLSearchParams(location.search)
  for (const control of form.elements) {
    if (control.form !== form || !form.contains(control) || control.name === '') continue
    if (control.type === 'checkbox') control.checked = asked.getAll(control.name).includes(control.value)
    else if (control.type === 'radio') control.checked = (asked.get(control.name) ?? '') === control.value
    else if (control.name !== 'q' || control !== document.activeElement) control.value = asked.get(control.name) ?? ''
  }
}

/** Sets the return path of all forms and links, such as the language menu, to the current URL. */
function updateReturnPaths() {
  const here = location.pathname + location.search
  for (const field of document.getElementsByName('returnTo')) field.value = here
  for (const link of document.querySelectorAll('a[href*="?returnTo="]')) {
    link.search = new URLSearchParams({ returnTo: here })
  }
}

/** Moves the focus to the list's summary after paging, and when the focused link is gone, hidden or no link any more. */
function restoreFocus() {
  const active = document.activeElement
  const isPaging = cause === 'pager'
  const isLost = active === document.body || !active.checkVisibility() || active.matches('a:not([href])')
  if (isPaging || isLost) document.getElementById('found')?.focus()
  if (isPaging) results().scrollIntoView({ block: 'start' })
}

function filter() {
  return document.getElementById('filter')
}

/** Activates a filter that was inserted into this part of the page. */
export function activateFilter(part) {
  return htmx.process(part)
}
