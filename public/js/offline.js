const retryMs = 5000

/**
 * Shows a notice below the top bar while the browser is offline or the portal does not answer.
 */
export function watchConnection() {
  const container = document.querySelector('[data-offline]')
  let timer

  const showNotice = () => {
    if (container.firstChild) return
    const notice = document.createElement('p')
    notice.className = 'ds-alert'
    notice.dataset.color = 'warning'
    notice.textContent = container.dataset.offline
    container.append(notice)
  }
  const checkConnection = async () => {
    // The `online` event follows when the browser has a network again.
    if (!navigator.onLine) return
    try {
      await fetch('/healthz')
      reportConnection(true)
    } catch {
      reportConnection(false)
    }
  }
  document.addEventListener('portal:unreachable', () => {
    showNotice()
    clearTimeout(timer)
    timer = setTimeout(checkConnection, retryMs)
  })
  document.addEventListener('portal:reached', () => {
    clearTimeout(timer)
    container.replaceChildren()
  })
  addEventListener('offline', () => reportConnection(false))
  addEventListener('online', checkConnection)
  if (!navigator.onLine) reportConnection(false)
}

/** Dispatches `portal:reached` after an answer of the portal, and `portal:unreachable` after a failed request. */
export function reportConnection(isReached) {
  document.dispatchEvent(new Event(isReached ? 'portal:reached' : 'portal:unreachable'))
}
