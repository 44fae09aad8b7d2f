import { showCopyButtons } from './copy.js'
import { watchSession } from './session-timeout.js'
import { followFilter, takeUpFilter } from './filter.js'
import { watchShortcuts } from './shortcuts.js'
import { reportConnection, watchConnection } from './offline.js'
import { trusted } from './trusted.js'

const everyMs = 2000

/** A list has its filter and its rows once there is something in it. */
function partsOf(page) {
  return [...page.querySelectorAll('[data-live], #filter')].map(({ id, dataset }) => dataset.live ?? id).join()
}

/** Something was left as it was because somebody was in it. */
let isBehind = false

function isSomebodyIn(part) {
  return (
    (part.contains(document.activeElement) && part !== document.activeElement) ||
    getSelection()?.containsNode(part, true)
  )
}

/**
 * Takes over each live part of the page as the portal shows it now, but for one that somebody is in; all of its main
 * part where there are other parts now.
 */
function takeOver(page) {
  const isOther = partsOf(page) !== partsOf(document)
  isBehind = false
  for (const part of document.querySelectorAll(isOther ? 'main' : '[data-live]')) {
    if (isSomebodyIn(part)) {
      isBehind = true
      continue
    }
    const now = page.querySelector(isOther ? 'main' : `[data-live="${part.dataset.live}"]`)
    part.replaceChildren(...now.childNodes)
    showCopyButtons(part)
    takeUpFilter(part)
  }
}

/** While something is read for the first time, its page moves by itself. */
async function follow() {
  if (!isBehind && !document.querySelector('[data-reading]')) return
  if (!document.hidden) {
    try {
      // Nobody is there for it: it does not keep the session alive.
      const { href } = location
      const answer = await fetch(href, { headers: { 'X-Background': '1' } })
      reportConnection(true)
      if (answer.status === 429) {
        setTimeout(follow, Number(answer.headers.get('Retry-After') ?? 60) * 1000)
        return
      }
      // Whatever else the portal has to say now, it says better itself.
      if (answer.status !== 200 || answer.redirected) {
        location.reload()
        return
      }
      const page = trusted.createHTML(await answer.text())
      // Somebody may have filtered the list meanwhile.
      if (location.href === href) takeOver(new DOMParser().parseFromString(page, 'text/html'))
    } catch {
      // The next round may reach the portal again.
      reportConnection(false)
    }
  }
  setTimeout(follow, everyMs)
}

showCopyButtons(document)
setTimeout(follow, everyMs)
watchSession()
followFilter()
watchShortcuts()
watchConnection()
