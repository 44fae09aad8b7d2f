import { watchCopyButtons } from './copy.js'
import { watchSession } from './session-timeout.js'
import { followFilter, activateFilter } from './filter.js'
import { watchSearch } from './search.js'
import { watchShortcuts } from './shortcuts.js'
import { reportConnection, watchConnection } from './offline.js'
import { trusted } from './trusted.js'

const pollMs = 2000

/** Identifies the live parts of a page: a list has its filter and rows only when it is not empty. */
function partsOf(page) {
  return [...page.querySelectorAll('[data-live], #filter')].map(({ id, dataset }) => dataset.live ?? id).join()
}

/** Whether an update of a part was skipped because the user had focus or a selection in it. */
let isBehind = false

function hasFocus(part) {
  return (
    (part.contains(document.activeElement) && part !== document.activeElement) ||
    getSelection()?.containsNode(part, true)
  )
}

/**
 * Replaces each live part of the page with the new version, except one that the user has focus in. When the parts
 * themselves differ, it replaces the whole main part.
 */
function updateParts(page) {
  const isOther = partsOf(page) !== partsOf(document)
  isBehind = false
  for (const part of document.querySelectorAll(isOther ? 'main' : '[data-live]')) {
    if (hasFocus(part)) {
      isBehind = true
      continue
    }
    const now = page.querySelector(isOther ? 'main' : `[data-live="${part.dataset.live}"]`)
    part.replaceChildren(...now.childNodes)
    activateFilter(part)
  }
}

/** Refreshes the page every two seconds while the sync reads its data for the first time. */
async function poll() {
  if (!isBehind && !document.querySelector('[data-reading]')) return
  if (!document.hidden) {
    try {
      // A background request does not extend the session.
      const { href } = location
      const answer = await fetch(href, { headers: { 'X-Background': '1' } })
      reportConnection(true)
      if (answer.status === 429) {
        setTimeout(poll, Number(answer.headers.get('Retry-After') ?? 60) * 1000)
        return
      }
      // Show an error page or the sign-in page as a whole page.
      if (answer.status !== 200 || answer.redirected) {
        location.reload()
        return
      }
      const page = trusted.createHTML(await answer.text())
      // The user may have filtered the list meanwhile.
      if (location.href === href) updateParts(new DOMParser().parseFromString(page, 'text/html'))
    } catch {
      // The next poll retries.
      reportConnection(false)
    }
  }
  setTimeout(poll, pollMs)
}

watchCopyButtons()
setTimeout(poll, pollMs)
watchSession()
followFilter()
watchShortcuts()
watchSearch()
watchConnection()
