import { reportConnection } from './offline.js'

const warnMs = 120_000
const lookAgainMs = 20_000

/**
 * Two minutes before the session ends, a notice with the one button that helps. Nothing on the page is touched. Other
 * tabs may have put the end off, so the portal is asked before anything is said, and as long as the notice stands.
 */
export function watchSession() {
  const box = document.querySelector('[data-session-timeout]')
  if (!box) return
  const says = box.querySelector('[data-says]')
  const form = box.querySelector('form')
  const again = box.querySelector('a')
  let timer

  const show = (words, kind) => {
    // Words that stand there already are not read out again.
    if (says.textContent !== words) says.textContent = words
    form.hidden = kind !== 'idle'
    again.hidden = kind === 'idle'
    box.hidden = false
  }
  const wait = (leftMs) => {
    clearTimeout(timer)
    timer = setTimeout(look, Math.min(Math.max(leftMs - warnMs, 0), 2 ** 31 - 1))
  }
  const take = ({ kind, leftMs, words }) => {
    if (leftMs > warnMs) {
      box.hidden = true
      wait(leftMs)
      return
    }
    show(words, kind)
    clearTimeout(timer)
    timer = setTimeout(look, Math.min(leftMs + 1000, lookAgainMs))
  }
  const ask = async (address, options) => {
    clearTimeout(timer)
    try {
      const answer = await fetch(address, options)
      reportConnection(true)
      if (answer.status === 429 || answer.status >= 500) throw new Error('later')
      // Nobody is signed in any more, or somebody else is.
      if (answer.redirected || !answer.ok) show(box.dataset.over, 'over')
      else take(await answer.json())
    } catch (error) {
      // What fetch throws where no answer came
      if (error instanceof TypeError) reportConnection(false)
      timer = setTimeout(look, lookAgainMs)
    }
  }
  const look = () => ask('/session/ending', { headers: { Accept: 'application/json', 'X-Background': '1' } })

  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const body = new URLSearchParams(new FormData(form))
    void ask(form.action, { method: 'POST', body, headers: { Accept: 'application/json' } })
  })
  // Timers stand still while a computer sleeps.
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) void look()
  })
  wait(Number(box.dataset.sessionTimeout))
}
