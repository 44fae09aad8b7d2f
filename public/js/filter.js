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
/** The timer of a request that the portal has asked to send again later. */
let again
/** Longer waits are explained by the error page. */
const longestWaitMs = 10_000

/** Filters the list while the user types, without loading the page. Without this module the form's button filters. */
export function followFilter() {
  document.addEventListener('click', followLink)
  document.addEventListener('htmx:config:request', ({ detail: { ctx } }) => {
    if (!isListRequest(ctx)) return
    clearTimeout(again)
    const { type } = ctx.sourceEvent
    if (type !== 'click') cause = type
    // The URL of a link is complete: the fields of the form are not added.
    if (type === 'click') ctx.request.body = new FormData()
    else cleanParameters(ctx.request.body)
    results().setAttribute('aria-busy', 'true')
  })
  document.addEventListener('htmx:before:response', (event) => {
    const { ctx } = event.detail
    const { status, redirected } = ctx.response.raw
    if (isListRequest(ctx)) reportConnection(true)
    if (status === 200 && !redirected) return
    // Without it, htmx would show an error page or the sign-in page in place of a part.
    event.preventDefault()
    if (isListRequest(ctx)) answerFailure(ctx)
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
  // htmx starts to listen in a task that it queued when it was loaded; this one comes after it.
  setTimeout(applyEarlyInput)
}

/** Applies what the user typed or chose while the scripts were loading, which nothing has heard. */
function applyEarlyInput() {
  for (const field of document.querySelectorAll('#find, #q, [data-filters]')) {
    if (field.value !== field.defaultValue) field.dispatchEvent(new Event('input', { bubbles: true }))
  }
  const chosen = [...(filter()?.elements ?? [])].find(isOtherThanSent)
  chosen?.dispatchEvent(new Event('change', { bubbles: true }))
}

function isOtherThanSent({ checked, defaultChecked, options = [] }) {
  return checked !== defaultChecked || [...options].some((option) => option.selected !== option.defaultSelected)
}

/**
 * Sends a request that came too soon again; shows an error page or the sign-in page as a whole page. Neither while the
 * user types on: the next request is for the whole text, which a new page would lose.
 */
function answerFailure({ request: { action }, response: { raw }, sourceEvent: event }) {
  const isLink = event.type === 'click'
  const asked = new URLSearchParams(new URL(action, location.href).search).get('q') ?? ''
  if (!isLink && asked !== (filter()?.elements.q.value ?? asked)) return
  const waitMs = Number(raw.headers.get('Retry-After')) * 1000
  if (raw.status === 429 && waitMs <= longestWaitMs)
    again = setTimeout(() => send(isLink ? action : filter().getAttribute('action'), event), waitMs)
  else location.assign(action)
}

function followLink(event) {
  const link = event.target.closest('.status-tabs a, .chips a, .pages a, .empty a, .sheet-foot a')
  const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey
  if (!link || !isPlain || !filter() || !results()?.contains(link)) return
  event.preventDefault()
  // Now, as the new list may reuse the link for something else.
  cause = link.rel === '' ? 'link' : 'pager'
  send(link.href, event)
}

/** Loads the list of this URL. The form's fields are added unless the event is a click on a link. */
function send(url, event) {
  void htmx.ajax('GET', url, {
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
