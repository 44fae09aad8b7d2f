// Runs in each page. Times are milliseconds of the wall clock, because a click leads to another page.
const now = () => performance.timeOrigin + performance.now()
for (const event of ['input', 'click'])
  document.addEventListener(event, () => sessionStorage.setItem('began', now()), { capture: true })
const sinceBegan = (ended) => ended - Number(sessionStorage.getItem('began'))

/** The time from the next key to the frame with the new results, as the promise `updated`. */
globalThis.timeNextKey = () => {
  globalThis.updated = new Promise((resolve) => {
    const watch = new MutationObserver(() => {
      watch.disconnect()
      requestAnimationFrame(() => setTimeout(() => resolve(sinceBegan(now()))))
    })
    watch.observe(document.getElementById('found'), { childList: true, characterData: true, subtree: true })
  })
}

/** The time from the click that led to this page until it was painted. */
globalThis.timeOfPage = () =>
  new Promise((resolve) => {
    const watch = new PerformanceObserver((entries) => {
      const [painted] = entries.getEntriesByName('first-contentful-paint')
      if (painted) resolve(sinceBegan(performance.timeOrigin + painted.startTime))
    })
    watch.observe({ type: 'paint', buffered: true })
  })
