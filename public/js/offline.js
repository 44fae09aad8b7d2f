const askAgainMs = 5000

/**
 * Says below the bar that there is no connection, as soon as the browser knows or the portal did not answer, until it is
 * back. Nothing else on the page is touched.
 */
export function watchConnection() {
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
      reportConnection(true)
    } catch {
      reportConnection(false)
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
  addEventListener('offline', () => reportConnection(false))
  addEventListener('online', ask)
  if (!navigator.onLine) reportConnection(false)
}

/** Tells the page that the portal has just answered, or could not be reached: `portal:reached`, `portal:unreachable`. */
export function reportConnection(isReached) {
  document.dispatchEvent(new Event(isReached ? 'portal:reached' : 'portal:unreachable'))
}
