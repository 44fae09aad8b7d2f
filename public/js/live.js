import { showCopyButtons } from './copy.js'

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
      const answer = await fetch(location.href)
      // Whatever else the portal has to say now, it says better itself.
      if (answer.status !== 200) {
        location.reload()
        return
      }
      takeOver(new DOMParser().parseFromString(await answer.text(), 'text/html'))
    } catch {
      // The next round may reach the portal again.
    }
  }
  setTimeout(follow, everyMs)
}

showCopyButtons(document)
setTimeout(follow, everyMs)
