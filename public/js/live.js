import { showCopyButtons } from './copy.js'
import { watchEnding } from './ending.js'
import { followFilter } from './filter.js'
import { watchKeys } from './keys.js'
import { watchConnection } from './offline.js'
import { tellReached } from './reached.js'
import { trusted } from './trusted.js'

const everyMs = 2000

/** Takes over each live part of the page as the portal shows it now, but for one that somebody is in. */
const takeOver = (page) => {
  for (const part of document.querySelectorAll('[data-live]')) {
    const now = page.querySelector(`[data-live="${part.dataset.live}"]`)
    if (!now || part.contains(document.activeElement) || getSelection()?.containsNode(part, true)) continue
    part.replaceWith(now)
    showCopyButtons(now)
  }
}

/** While something is read for the first time, its page moves by itself. */
const follow = async () => {
  if (!document.querySelector('[data-reading]')) return
  if (!document.hidden) {
    try {
      // Nobody is there for it: it does not keep the session alive.
      const answer = await fetch(location.href, { headers: { 'X-Background': '1' } })
      tellReached(true)
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
      takeOver(new DOMParser().parseFromString(page, 'text/html'))
    } catch {
      // The next round may reach the portal again.
      tellReached(false)
    }
  }
  setTimeout(follow, everyMs)
}

showCopyButtons(document)
setTimeout(follow, everyMs)
watchEnding()
followFilter()
watchKeys()
watchConnection()
