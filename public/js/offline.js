import { tellReached } from './reached.js'

const askAgainMs = 5000

/**
 * Says below the bar that there is no connection, as soon as the browser knows or the portal did not answer, until it is
 * back. Nothing else on the page is touched.
 */
export const watchConnection = () => {
  const place = document.querySelector('[data-offline]')
  let timer

  const say = () => {
    if (place.firstChild) return
    const words = document.createElement('p')
    words.className = 'ds-alert'
    words.dataset.color = 'warning'
    words.textContent = place.dataset.offline
    place.append(words)
  }
  const ask = async () => {
    // The browser tells by itself when it has a network again.
    if (!navigator.onLine) return
    try {
      await fetch('/healthz')
      tellReached(true)
    } catch {
      tellReached(false)
    }
  }
  document.addEventListener('portal:unreachable', () => {
    say()
    clearTimeout(timer)
    timer = setTimeout(ask, askAgainMs)
  })
  document.addEventListener('portal:reached', () => {
    clearTimeout(timer)
    place.replaceChildren()
  })
  addEventListener('offline', () => tellReached(false))
  addEventListener('online', ask)
  if (!navigator.onLine) tellReached(false)
}
