import { reportConnection } from './offline.js'

const warnMs = 120_000
const recheckMs = 20_000

/**
 * Shows a notice with a button two minutes before the session ends. Another tab may have extended the session, so this
 * asks the portal before it shows the notice, and repeatedly while the notice is shown.
 */
export function watchSession() {
  const box = document.querySelector('[data-session-timeout]')
  if (!box) return
  const messageElement = box.querySelector('[data-says]')
  const form = box.querySelector('form')
  const signInLink = box.querySelector('a')
  let timer

  const show = (words, kind) => {
    // Setting the same text would make screen readers announce it again.
    if (messageElement.textContent !== words) messageElement.textContent = words
    form.hidden = kind !== 'idle'
    signInLink.hidden = kind === 'idle'
    box.hidden = false
  }
  const scheduleCheck = (leftMs) => {
    clearTimeout(timer)
    timer = setTimeout(check, Math.min(Math.max(leftMs - warnMs, 0), 2 ** 31 - 1))
  }
  const update = ({ kind, leftMs, words }) => {
    if (leftMs > warnMs) {
      box.hidden = true
      scheduleCheck(leftMs)
      return
    }
    show(words, kind)
    clearTimeout(timer)
    timer = setTimeout(check, Math.min(leftMs + 1000, recheckMs))
  }
  const request = async (address, options) => {
    clearTimeout(timer)
    try {
      const answer = await fetch(address, options)
      reportConnection(true)
      if (answer.status === 429 || answer.status >= 500) throw new Error('later')
      // The session has ended, or another user has signed in.
      if (answer.redirected || !answer.ok) show(box.dataset.over, 'over')
      else update(await answer.json())
    } catch (error) {
      // fetch throws a TypeError when there is no response.
      if (error instanceof TypeError) reportConnection(false)
      timer = setTimeout(check, recheckMs)
    }
  }
  const check = () => request('/session/ending', { headers: { Accept: 'application/json', 'X-Background': '1' } })

  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const body = new URLSearchParams(new FormData(form))
    void request(form.action, { method: 'POST', body, headers: { Accept: 'application/json' } })
  })
  // Timers stop while the computer sleeps.
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) void check()
  })
  scheduleCheck(Number(box.dataset.sessionTimeout))
}
